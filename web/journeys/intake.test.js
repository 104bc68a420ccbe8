// A call becomes a job: whose, what, when, and who; and a leak at once an emergency with what to read out.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Desk } from './desk.js'
import { opened, shows } from './ground.js'
import { staff } from './hall.js'

const tomorrow = () => new Date(Date.now() + 32 * 3_600_000).toISOString().slice(0, 10)

async function atIntake(t) {
  const hall = await opened(t)
  const desk = await Desk.open(hall, staff('调度员'))
  t.after(() => desk.close().catch(() => undefined))
  await desk.go('/intake')
  await desk.page.getByLabel('哪一户').fill('30100005')
  await desk.page.locator('.hits button').first().click()
  return { hall, desk, page: desk.page }
}

const made = async (page) => {
  await page.waitForURL(/#\/job\//)
  return page.url().split('/').pop()
}

test('a1 a call becomes a job in a window that somebody can keep, agreed with the caller', async (t) => {
  const { hall, desk, page } = await atIntake(t)
  await page.getByText(/这一户还有 \d+ 单未完/).waitFor()
  await page.getByLabel('维修').check()
  await page.getByLabel('用户原话').fill('灶火不旺')
  const sure = page.getByRole('button', { name: '受理' })
  await shows(() => sure.isDisabled(), true, 'no window is agreed yet')
  await page.getByLabel('日期').fill(tomorrow())
  await page.getByLabel(/10:00–12:00 · \d+ 人可准时到/).check()
  await page.getByLabel('用户如何同意').selectOption('we_chat')
  await sure.click()

  const { summary, job } = await hall.jobPage(await made(page))
  assert.equal(summary.household.account, '30100005')
  assert.equal(job.briefing.request, '灶火不旺')
  assert.ok(summary.technician, 'the best of those who fit has it')
  assert.deepEqual(Object.values(job.plan.appointments).map((it) => it.channel), ['we_chat'])
  assert.equal(new Date(summary.window.start + 8 * 3_600_000).toISOString().slice(0, 13), `${tomorrow()}T10`)
  assert.deepEqual(desk.problems, [])
})

test('b2 a leak call is an emergency at once, with the advice to read out and who is there first', async (t) => {
  const { hall, desk, page } = await atIntake(t)
  await page.getByLabel('抢修').check()
  await page.getByRole('alert').filter({ hasText: '不要开关任何电器' }).waitFor()
  const nearest = page.getByLabel(/预计 .*\d\d:\d\d 到/)
  await nearest.nth(1).waitFor()
  await nearest.first().check()
  await page.getByRole('button', { name: '受理' }).click()

  const { summary } = await hall.jobPage(await made(page))
  assert.deepEqual([summary.kind, summary.promise.rule, summary.promise.state], ['emergency', 'B2', 'running'])
  assert.ok(summary.technician)
  assert.deepEqual(desk.problems, [])
})
