// Visits that do not end as planned, and taps that were wrong.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PICTURE, Phone } from './browser.js'
import { opened, place, shows } from './ground.js'
import { ACCOUNTS, staff } from './hall.js'
import { conduct, goIn } from './visit.js'

const me = staff('技术员')

async function assigned(t, count) {
  const hall = await opened(t)
  const jobs = []
  for (let at = 0; at < count; at += 1) jobs.push(await hall.job('repair', me.login, ACCOUNTS[at]))
  const phone = await Phone.open(hall, place(t, 'profile'))
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(me)
  await phone.sent()
  return { hall, jobs, phone }
}

/** Arrives, and says how it ends. */
async function end(phone, job, outcome) {
  await phone.job(job)
  await phone.tap('出发')
  await phone.tap('已到达')
  await phone.page.getByRole('button', { name: '不能完成？' }).click()
  await phone.page.locator('.end').getByRole('button', { name: outcome }).click()
}

test('no one home needs the notice on the door; refused and a wrong address need words', async (t) => {
  const { hall, jobs, phone } = await assigned(t, 3)
  const close = phone.page.getByRole('button', { name: '结束本次上门' })

  await end(phone, jobs[0], '到访不遇')
  await phone.page.getByText('缺少门上《到访不遇通知单》照片').waitFor()
  await shows(() => close.isDisabled(), true)
  await phone.saves(() => phone.page.locator('.end input[type=file]').setInputFiles(PICTURE))
  await phone.tap('结束本次上门')
  await end(phone, jobs[1], '拒绝')
  await shows(() => close.isDisabled(), true)
  await phone.page.getByLabel('原因').fill('户主不让进门')
  await phone.tap('结束本次上门')
  await end(phone, jobs[2], '地址有误')
  await phone.page.getByLabel('原因').fill('门牌已换')
  await phone.tap('结束本次上门')
  await phone.sent()

  const statuses = await Promise.all(jobs.map(async (job) => (await hall.jobPage(job)).standing.status))
  assert.deepEqual(statuses, ['no_one_home', 'refused', 'wrong_address'])
  assert.deepEqual(phone.problems, [])
})

test('what cannot be finished says why and what next; a further visit begins with the first step', async (t) => {
  const { hall, jobs, phone } = await assigned(t, 1)
  await goIn(phone, jobs[0])
  await phone.page.getByRole('button', { name: '不能完成？' }).click()
  await phone.page.locator('.end').getByRole('button', { name: '未能完成' }).click()
  await phone.page.getByText('行为规范未答').first().waitFor()
  await phone.page.locator('.end').getByRole('button', { name: '返回' }).click()
  await phone.tap('合格，不漏')
  await conduct(phone, '离开前')
  await phone.page.getByRole('button', { name: '不能完成？' }).click()
  await phone.page.locator('.end').getByRole('button', { name: '未能完成' }).click()
  await phone.page.getByLabel('原因').fill('缺阀门')
  await phone.page.getByLabel('接下来要做什么').fill('带 DN15 阀门再来')
  await phone.tap('结束本次上门')
  assert.match(await phone.step(), /提前电话/)
  await phone.sent()

  const closed = (await hall.facts(jobs[0])).find((fact) => fact.type === 'closed')
  assert.deepEqual(closed.outcome, { outcome: 'cannot_finish', reason: '缺阀门', follow_up: '带 DN15 阀门再来' })
})

test('a7 an answer is taken back with a reason, stays as a trace, and is asked again', async (t) => {
  const { hall, jobs, phone } = await assigned(t, 1)
  await goIn(phone, jobs[0])
  await phone.page.locator('.recorded summary').click()
  await phone.page.getByRole('button', { name: /撤回: 行为规范 穿好鞋套/ }).click()
  await phone.page.getByRole('button', { name: '点错了' }).click()
  await phone.tap(/^撤回$/, phone.page.locator('.recorded form'))

  await phone.page.locator('.steps .next', { hasText: '入户前' }).waitFor()
  await phone.tap('用户免除: 穿好鞋套')
  await phone.sent()
  const facts = await hall.facts(jobs[0])
  const covers = facts.filter((fact) => fact.item === 'shoe_covers').map((fact) => fact.answer.answer)
  assert.deepEqual(covers, ['done', 'waived'])
  assert.equal(facts.filter((fact) => fact.type === 'withdrawn' && fact.reason === '点错了').length, 1)
})

test('the conduct lists take two taps when all is as it should be', async (t) => {
  const { hall, phone, jobs } = await assigned(t, 1)
  await phone.job(jobs[0])
  await phone.tap('出发')
  await phone.tap('已到达')

  await conduct(phone, '门口')
  await conduct(phone, '入户前')
  await phone.sent()

  const answers = (await hall.facts(jobs[0])).filter((fact) => fact.type === 'conduct')
  assert.deepEqual(answers.map((fact) => fact.answer.answer), ['done', 'done', 'done', 'done', 'done'])
})
