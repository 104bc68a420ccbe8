// What a household may ask about its data, at the desk: a copy to take along, and that it be erased.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { findings } from './axe.js'
import { Desk } from './desk.js'
import { opened, place } from './ground.js'
import { ACCOUNTS, staff } from './hall.js'

test('check_64 a manager gives a household its data, and erases it when nothing is open there', async (t) => {
  const hall = await opened(t)
  const who = staff('经理')
  await hall.signIn(who)
  // One household with an open job, and one where nothing is open.
  const homes = []
  for (const account of ACCOUNTS.slice(0, 60)) {
    const { households } = await hall.get(`/api/households?text=${account}`)
    homes.push(await hall.get(`/api/households/${households[0].id}`))
  }
  const isOver = (job) => ['done', 'cancelled'].includes(job.status)
  const busy = homes.find((it) => it.jobs.some((job) => !isOver(job)))
  const quiet = homes.find((it) => it.jobs.every(isOver) && it.hazards.length === 0 && it.cases.length === 0)
  const desk = await Desk.open(hall, who)
  t.after(() => desk.close().catch(() => undefined))
  const { page } = desk

  await desk.go(`/households/${quiet.household.id}`)
  const card = page.getByRole('region', { name: '个人信息' })
  const arrives = page.waitForEvent('download')
  await card.getByRole('link', { name: 'JSON' }).click()
  const file = JSON.parse(readFileSync(await (await arrives).path()))
  assert.equal(file.known.household.holder, quiet.household.holder)
  const sheet = page.waitForEvent('download')
  await card.getByRole('link', { name: 'XLSX' }).click()
  assert.equal(readFileSync(await (await sheet).path()).subarray(0, 2).toString(), 'PK')

  const dialog = page.getByRole('dialog', { name: '删除这户的个人信息' })
  const erase = async (account) => {
    await card.getByRole('button', { name: '删除个人信息' }).click()
    await dialog.getByLabel('再次输入户号').fill(account)
    await dialog.getByLabel('依据').fill('申请 17 号')
    await page.screenshot({ path: place(t, 'erase.png') })
    await dialog.getByRole('button', { name: '永久删除' }).click()
  }
  await desk.go(`/households/${busy.household.id}`)
  await page.getByRole('heading', { name: busy.household.address }).waitFor()
  await erase(busy.household.account)
  await page.locator('.toast').getByText('还有未完的工单').waitFor()
  assert.deepEqual(await findings(page), [])
  await dialog.getByRole('button', { name: '关闭' }).click()

  await desk.go(`/households/${quiet.household.id}`)
  await page.getByRole('heading', { name: quiet.household.address }).waitFor()
  await page.screenshot({ path: place(t, 'card.png'), fullPage: true })
  await erase(quiet.household.account)
  await page.locator('.toast').getByText('已删除').waitFor()
  const { households } = await hall.get(`/api/households?text=${quiet.household.account}`)
  assert.deepEqual(households, [])
  assert.deepEqual(desk.problems, [])
})
