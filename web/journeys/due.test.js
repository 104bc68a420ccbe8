// What is due at the desk: looked at in charts, filtered, made into jobs at once, agreed, and on a phone (B7).

import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findings } from './axe.js'
import { Phone } from './browser.js'
import { Desk } from './desk.js'
import { ROOT, opened, place, shows, until } from './ground.js'
import { staff } from './hall.js'

const [dora, me] = [staff('调度员'), staff('技术员')]

const shot = async (page, name) => {
  const shots = process.env.DOORSTEP_SHOTS ?? join(ROOT, 'shots', 'due')
  mkdirSync(shots, { recursive: true })
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true })
}

test('b7 what is due is seen in charts, filtered, made into jobs once, agreed by telephone, and reaches a phone', async (t) => {
  const hall = await opened(t)
  const desk = await Desk.open(hall, dora)
  t.after(() => desk.close().catch(() => undefined))
  const { page } = desk
  await desk.go('/due')
  await page.locator('.due-chart').nth(2).waitFor()
  await page.locator('[data-due]').first().waitFor()
  await shot(page, 'list-zh')
  assert.deepEqual(await findings(page), [])

  // A bar chooses: only what it counts is listed.
  await page.locator('.due-chart').first().getByRole('button', { name: '居民年度安检' }).click()
  await until(async () => (await page.locator('[data-due]').count()) === (await page.locator('[data-due$=" inspection"]').count()), Boolean, 'only inspections are listed')
  const free = page.locator('[data-due] input[type=checkbox]')
  await free.nth(0).check()
  await free.nth(1).check()
  await page.getByRole('button', { name: '生成工单（2 户）…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('将生成 2 张工单').waitFor()
  const ana = (await hall.user(me.login)).id
  await dialog.getByLabel('技术员').selectOption(ana)
  await dialog.getByText('将生成 2 张工单').waitFor()
  await shot(page, 'dialog-zh')
  await dialog.getByRole('button', { name: '生成 2 张工单' }).click()
  await page.getByText('已生成 2 张工单，0 户未生成').waitFor()

  // To be agreed, until the household said yes on the telephone.
  await page.getByLabel('工单状态').selectOption('to_be_agreed')
  await shows(() => page.locator('[data-due]').count(), 2)
  const first = page.locator('[data-due]').first()
  const job = (await first.locator('.state a').getAttribute('href')).split('/').pop()
  const before = await hall.jobPage(job)
  assert.deepEqual(before.job.plan.appointments, {}, 'nobody agreed to anything yet')
  await first.getByRole('button', { name: '电话已同意' }).click()
  await shows(() => page.locator('[data-due]').count(), 1)
  const after = await hall.jobPage(job)
  assert.equal(Object.values(after.job.plan.appointments)[0].channel, 'phone')

  // The one that is to be agreed is on the phone, and asks for a window first.
  const { jobs } = await hall.get(`/api/jobs?technician=${ana}&kind=safety_inspection`)
  const open = jobs.find((it) => it.window === null)
  const phone = await Phone.open(hall, place(t, 'profile'))
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(me)
  await phone.job(open.id)
  await phone.page.getByText('请先与用户约定').first().waitFor()

  await page.getByLabel('工单状态').selectOption('')
  await page.getByRole('button', { name: 'English' }).click()
  await page.getByRole('heading', { name: 'What is due', exact: true }).waitFor()
  await page.locator('[data-due]').first().waitFor()
  await shot(page, 'list-en')
  assert.deepEqual(desk.problems, [])
})
