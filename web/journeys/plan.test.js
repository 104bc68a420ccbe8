// A plan is suggested, looked at, changed and carried out by a dispatcher; a leak goes to the nearest who may be sent.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findings } from './axe.js'
import { Desk } from './desk.js'
import { opened, shows } from './ground.js'
import { ACCOUNTS, crew, staff } from './hall.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Doors all over the city. */
const DOORS = [0, 40, 80, 120, 160, 200].map((at) => ACCOUNTS[at])

/** Ten o'clock tomorrow in the hall's city: whatever the time is here, nothing of it has begun. */
const tomorrowAtTen = () => Math.floor((Date.now() + 8 * HOUR) / DAY) * DAY - 8 * HOUR + DAY + 10 * HOUR

/** A desk before tomorrow's board, with six jobs of nobody's. */
async function beforePlan(t) {
  const hall = await opened(t)
  const start = tomorrowAtTen()
  const window = { start, end: start + 2 * HOUR }
  const jobs = []
  for (const account of DOORS) {
    const { id } = await hall.post('/api/jobs', { kind: 'repair', account, request: '灶火不旺', appointment: { window, channel: 'phone' } })
    jobs.push(id)
  }
  const desk = await Desk.open(hall, staff('调度员'))
  t.after(() => desk.close().catch(() => undefined))
  await desk.page.getByRole('button', { name: '后一天' }).click()
  await desk.card(jobs[0]).waitFor()
  return { hall, desk, page: desk.page, jobs, window }
}

async function suggested({ page }) {
  await page.getByRole('button', { name: '建议方案' }).click()
  await page.locator('.plan .gains').waitFor({ timeout: 20_000 })
}

const holders = (hall, jobs) => Promise.all(jobs.map(async (job) => (await hall.jobPage(job)).summary.technician))
const line = (page, job) => page.locator(`[data-line="${job}"]`)
const shade = (page, job) => page.locator(`[data-shade="${job}"]`)

test('a plan is seen before anything changes, carried out without what was unticked, and undone at once', async (t) => {
  const at = await beforePlan(t)
  const { hall, desk, page, jobs } = at
  await suggested(at)

  assert.deepEqual(await holders(hall, jobs), jobs.map(() => null), 'nothing is written by asking')
  await shows(() => page.locator('.shade').count(), jobs.length, 'the board shows what is proposed')
  const given = page.locator('.plan .gains tr', { hasText: '有人负责的单' })
  await shows(() => given.innerText(), /0\s+6\s+\+6/)
  await shows(() => page.locator('.plan .gains tr', { hasText: '会迟到的户' }).innerText(), /0\s+0\s+±0/)
  const rows = new Map()
  for (const job of jobs) {
    rows.set(job, await line(page, job).evaluate((it) => it.closest('[data-plan]').dataset.plan))
    assert.equal(await shade(page, job).evaluate((it) => it.closest('[data-drop]').dataset.drop), rows.get(job))
  }
  assert.deepEqual(await findings(page), [])

  const [out, ...wanted] = jobs
  await line(page, out).getByRole('checkbox').focus()
  await page.keyboard.press('Space')
  await shade(page, out).waitFor({ state: 'detached' })
  await page.getByRole('button', { name: '派出 5 单' }).click()
  await page.locator('.toast').filter({ hasText: '已派出 5 单' }).waitFor()

  assert.deepEqual(await holders(hall, jobs), [null, ...wanted.map((job) => rows.get(job))])
  const legs = (await hall.get(`/api/board/rounds?day=${new Date(tomorrowAtTen() + 8 * HOUR).toISOString().slice(0, 10)}`)).rounds.flatMap((round) => round.legs)
  assert.deepEqual(legs.filter((leg) => leg.late_minutes > 0), [])
  await desk.barIn(rows.get(wanted[0]), wanted[0]).waitFor()
  await page.getByRole('button', { name: '撤销' }).click()
  await page.locator('.toast').filter({ hasText: '已撤回 5/5 单' }).waitFor()

  assert.deepEqual(await holders(hall, jobs), jobs.map(() => null))
  assert.deepEqual(desk.problems, [])
})

test('what somebody else was faster with is left as they want it, and told by name', async (t) => {
  const at = await beforePlan(t)
  const { hall, desk, page, jobs } = at
  await suggested(at)
  const [seen, raced, ...others] = jobs
  const faster = staff('技术员', 9)
  const theirs = (await hall.user(faster.login)).id
  // One is taken before the eyes of who looks, one in the moment of writing.
  await hall.post(`/api/jobs/${seen}/assignments`, { technician: theirs })
  await line(page, seen).filter({ hasText: '刚被别人改动' }).waitFor()
  await page.route(`**/api/jobs/${raced}/assignments`, async (route) => {
    await hall.post(`/api/jobs/${raced}/assignments`, { technician: theirs })
    await route.continue()
  })
  await page.getByRole('button', { name: '派出 5 单' }).click()
  await page.locator('.plan [role="alert"]').filter({ hasText: `现由 ${faster.name} 负责` }).waitFor()
  await page.locator('.toast').filter({ hasText: '已派出 4 单，1 单没有派成' }).waitFor()

  const after = await holders(hall, jobs)
  assert.deepEqual(after.slice(0, 2), [theirs, theirs])
  assert.ok(after.slice(2).every((it) => it !== null), `${others.length} are given out`)
  assert.deepEqual(desk.problems, [])
})

test('b2 a leak is given to the nearest who may be sent, by one tap, against what was promised', async (t) => {
  const hall = await opened(t)
  const able = await Promise.all(crew().map(async (person) => (await hall.user(person.login)).id))
  const { id: leak } = await hall.post('/api/jobs', { kind: 'emergency', account: DOORS[0], request: '厨房有异味' })
  const desk = await Desk.open(hall, staff('调度员'))
  t.after(() => desk.close().catch(() => undefined))
  const near = desk.card(leak).locator('.nearest')
  await near.getByRole('button').first().waitFor()
  await shows(() => near.locator('li').first().innerText(), /\d+ 分钟后到（\d\d:\d\d）/)
  await shows(() => near.locator('li').first().innerText(), /承诺时间内|比承诺晚 \d+ 分钟/)
  const named = await near.locator('li strong').allInnerTexts()
  const names = crew().map((person) => person.name)
  assert.ok(named.every((name) => names.includes(name)), `${named} of ${names}`)
  await near.getByRole('button').first().click()
  await desk.page.locator('.toast').filter({ hasText: `已派给 ${named[0]}` }).waitFor()
  const [holder] = await holders(hall, [leak])
  assert.ok(able.includes(holder))

  // Who was of the crew is none any more: then nobody is offered, and the board says what is missing.
  const { id: second } = await hall.post('/api/jobs', { kind: 'emergency', account: DOORS[1], request: '楼道有异味' })
  const manager = staff('经理')
  hall.token = (await hall.send('POST', '/api/session', { login: manager.login, password: manager.password })).token
  const { users } = await hall.get('/api/users?role=technician&limit=500')
  for (const { id } of users) await hall.send('PUT', `/api/users/${id}/qualification`, { skills: ['gas_fitter'], area: [] })
  await desk.page.reload()
  await desk.card(second).locator('.nearest').filter({ hasText: '没有人具备：抢修员' }).waitFor()
  await desk.page.getByRole('button', { name: '建议方案' }).click()
  await desk.page.locator(`[data-left="${second}"]`).filter({ hasText: '没有人具备：抢修员' }).waitFor({ timeout: 20_000 })
  assert.deepEqual(desk.problems, [])
})
