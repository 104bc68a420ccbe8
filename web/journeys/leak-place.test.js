// A leak at a place that no register knows: called by its words, up to the crew leader and the red alarm, and tied to a household later.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findings } from './axe.js'
import { Phone } from './browser.js'
import { Desk } from './desk.js'
import { opened, place, until } from './ground.js'
import { crew, staff } from './hall.js'

const TOO_LONG_MS = 41_000
const WHERE = '中山路步行街口的阀门井'
const LOOK = process.env.DOORSTEP_LOOK

/** Keeps a picture for a person to look at, where one asks for it. */
const look = async (page, name) => LOOK && (await page.screenshot({ path: `${LOOK}/${name}.png` }))

/** Lets time pass at the hall, by its own clock. */
async function pass(hall, ms) {
  const { now } = await hall.get('/api/leaks')
  await hall.post('/api/clock', { now_ms: now + ms })
}

/** Somebody who leads the crew and is no one to be sent first. */
async function crewLeader(hall) {
  const leader = (await hall.get('/api/users?role=technician&limit=500')).users.find((it) => !crew().some((one) => one.login === it.login))
  await hall.signIn(staff('经理'))
  for (const { login } of crew()) {
    await hall.send('PUT', `/api/users/${(await hall.user(login)).id}/contact`, { phone: '13800000001', leader: leader.id })
  }
  await hall.send('PUT', `/api/users/${leader.id}/contact`, { phone: '13800000009', leader: null })
  await hall.signIn(staff('调度员'))
  return leader
}

test('b2 b4 a place in words is enough, the crew leader is called after the nearest, then every console, and the place is tied later', async (t) => {
  const hall = await opened(t, ['--clock', 'manual'])
  const leader = await crewLeader(hall)
  const person = Array.from({ length: 40 }, (_, at) => staff('技术员', at)).find((it) => it?.login === leader.login)
  const phone = await Phone.open(hall, place(t, 'leader'))
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(person)
  const desk = await Desk.open(hall, staff('调度员'))
  t.after(() => desk.close().catch(() => undefined))
  const other = await Desk.open(hall, staff('经理'))
  t.after(() => other.close().catch(() => undefined))
  const leak = async () => (await hall.get('/api/leaks')).leaks.find((it) => it.address === WHERE)

  // Two fields and a tap.
  await desk.go('/intake')
  const form = desk.page.locator('.leak-form')
  await form.getByLabel('哪里').fill(WHERE)
  await form.getByLabel('来电人电话').fill('13912345678')
  await form.getByText('登记里没有这个地点').waitFor()
  await look(desk.page, 'place-form-zh')
  await form.getByRole('button', { name: '按此地点呼叫抢修' }).click()
  await desk.page.locator('.leak', { hasText: WHERE }).filter({ hasText: '未登记地点' }).waitFor()
  await desk.page.getByText(/诉求 \d+ 由你负责/).waitFor()
  await desk.page.getByRole('link', { name: /漏气报警/ }).waitFor()
  await look(desk.page, 'place-job-zh')
  const begun = await until(leak, (it) => it?.called.length === 2, 'two are called at once')
  const { users } = await hall.get('/api/users?role=technician&limit=500')
  const logins = begun.called.map((it) => users.find((user) => user.id === it.id).login)
  assert.ok(logins.every((login) => crew().some((it) => it.login === login)), 'of the crew')

  // Nobody of the crew answers: the leader's phone rings, with the place in words.
  const reached = (it) => it.called.some((one) => one.id === leader.id)
  let atLeader = begun
  while (!reached(atLeader)) {
    // Time goes on only after the hall has noticed the last of it.
    const before = atLeader.called.length
    await pass(hall, TOO_LONG_MS)
    atLeader = await until(leak, (it) => it?.called.length > before, 'the next is called')
  }
  assert.equal(atLeader.state, 'calling', 'before any alarm')
  assert.equal(atLeader.called.at(-1).id, leader.id, 'the last who is called')
  const card = phone.page.locator(`.leak-call[data-call="${atLeader.job}"]`)
  await card.filter({ hasText: WHERE }).filter({ hasText: '未登记地点' }).filter({ hasText: /139\s?1234\s?5678/ }).waitFor()
  await look(phone.page, 'place-call-zh')
  assert.deepEqual(await findings(phone.page), [])
  await desk.page.locator('.leak', { hasText: `${leader.name}（手机已显示）` }).waitFor()

  // Nor does the leader in time: every console sounds until somebody takes it on.
  await pass(hall, TOO_LONG_MS)
  for (const screen of [desk, other]) {
    const alarm = screen.page.locator(`.leak-alarm [data-alarm="${begun.job}"]`)
    await alarm.filter({ hasText: WHERE }).filter({ hasText: '没有应答 · 手机已显示' }).filter({ hasText: /138\s?0000\s?0009/ }).waitFor()
  }
  await look(desk.page, 'place-alarm-zh')
  assert.deepEqual(await findings(desk.page), [])
  await other.page.getByRole('button', { name: '由我处理' }).click()
  for (const screen of [desk, other]) await screen.page.locator('.leak-alarm').waitFor({ state: 'hidden' })

  // The leader goes after all.
  await card.locator('.primary').click()
  await phone.page.locator('[data-part="leads"]').waitFor({ timeout: 40_000 })
  await phone.page.locator('.home', { hasText: WHERE }).filter({ hasText: '未登记地点' }).waitFor()
  await look(phone.page, 'place-leads-zh')
  await desk.page.locator('.leak', { hasText: `${leader.name} 负责` }).waitFor()

  // Later the hall finds out whose it is, and the phone is briefed with that household.
  await desk.page.getByRole('link', { name: '归户' }).click()
  await desk.page.getByLabel('归户', { exact: true }).last().fill('30100007')
  await look(desk.page, 'place-tie-zh')
  await desk.page.getByRole('button', { name: '归到 30100007' }).click()
  await desk.page.locator('h1', { hasText: (await hall.get('/api/households?text=30100007')).households[0].address }).waitFor()
  await desk.page.getByRole('link', { name: /抢修/ }).first().waitFor()
  await look(desk.page, 'place-tied-zh')
  await phone.page.locator('.home', { hasText: '30100007' }).waitFor({ timeout: 40_000 })
  const { job } = await hall.jobPage(begun.job)
  assert.equal(job.briefing.household.account, '30100007')

  // In English too.
  await desk.page.getByRole('button', { name: 'English' }).click()
  await desk.go('/intake')
  await desk.page.locator('.leak-form').getByLabel('Where').fill('the bridge')
  await desk.page.getByText('The register does not know this place').waitFor()
  await look(desk.page, 'place-form-en')
  for (const it of [desk, other, phone]) assert.deepEqual(it.problems, [])
})

test('b2 an emergency of the long form calls people as the short one does', async (t) => {
  const hall = await opened(t, ['--clock', 'manual'])
  const desk = await Desk.open(hall, staff('调度员'))
  t.after(() => desk.close().catch(() => undefined))
  const phone = await Phone.open(hall, place(t, 'phone'))
  t.after(() => phone.close().catch(() => undefined))
  await desk.go('/intake/home:30100005')
  await desk.page.locator('input[value="emergency"]').check()
  await desk.page.getByLabel('联系方式').fill('13700001111')
  await desk.page.getByRole('button', { name: '受理', exact: true }).click()
  await desk.page.locator('.leak', { hasText: '正在呼叫' }).first().waitFor()
  const begun = await until(async () => (await hall.get('/api/leaks')).leaks.find((it) => it.caller_phone === '13700001111'), (it) => it?.called.length === 2, 'two are called')
  const { users } = await hall.get('/api/users?role=technician&limit=500')
  const login = users.find((it) => it.id === begun.called[0].id).login
  await phone.enrol(crew().find((it) => it.login === login))
  await phone.page.locator(`.leak-call[data-call="${begun.job}"]`, { hasText: /137\s?0000\s?1111/ }).waitFor()
  assert.deepEqual([desk.problems, phone.problems], [[], []])
})
