// The dispatch board as its dispatchers use it: by mouse, by keyboard, by dialog, and several at once.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone } from './browser.js'
import { Desk } from './desk.js'
import { opened, place, shows, until } from './ground.js'
import { staff } from './hall.js'

const [she, he] = [staff('调度员'), staff('调度员', 1)]
const me = staff('技术员')

/** A hall with a desk, and a job of nobody's. */
async function atDesk(t, more = {}) {
  const hall = await opened(t)
  const desk = await Desk.open(hall, she)
  t.after(() => desk.close().catch(() => undefined))
  const ana = (await hall.user(me.login)).id
  const ben = (await hall.user(staff('技术员', 1).login)).id
  const now = Math.floor(Date.now() / 3_600_000) * 3_600_000
  const window = { start: now, end: now + 2 * 3_600_000 }
  const body = { kind: 'repair', account: '30100005', request: '', appointment: { window, channel: 'phone' }, ...more }
  const { id: job } = await hall.post('/api/jobs', body)
  return { hall, desk, ana, ben, job, window }
}

const holder = async (hall, job) => (await hall.jobPage(job)).summary.technician

test('a drag assigns, says before the drop whom it makes late, and can be undone', async (t) => {
  const { hall, desk, ana, job } = await atDesk(t)
  await desk.drag(desk.card(job), desk.row(ana))
  await desk.page.locator('.ghost').filter({ hasText: /户迟到|不影响他人/ }).waitFor()
  assert.equal(await holder(hall, job), null, 'nothing before the drop')

  await desk.page.mouse.up()
  await desk.barIn(ana, job).waitFor()
  assert.equal(await holder(hall, job), ana)
  await desk.page.getByRole('button', { name: '撤销' }).click()
  await desk.card(job).waitFor()
  assert.equal(await holder(hall, job), null)

  await desk.drag(desk.card(job), desk.row(ana))
  await desk.page.keyboard.press('Escape')
  await desk.page.mouse.up()
  assert.equal(await holder(hall, job), null, 'Escape lets go')
  assert.deepEqual(desk.problems, [])
})

test('a1 another window asks who agreed it, and the board shows it', async (t) => {
  const { hall, desk, ana, job, window } = await atDesk(t)
  await desk.card(job).getByRole('button', { name: '移动到…' }).click()
  const dialog = desk.page.getByRole('dialog')
  await dialog.getByLabel('技术员').selectOption(ana)
  await dialog.getByLabel('改约时段').check()
  const sure = dialog.getByRole('button', { name: '确定' })
  await shows(() => sure.isDisabled(), true, 'nobody said how it was agreed')
  const [from, to] = ['18:15', '19:45']
  await dialog.getByLabel('从').fill(from)
  await dialog.getByLabel('到', { exact: true }).fill(to)
  await dialog.getByLabel('用户如何同意').selectOption('phone')
  await dialog.locator('.outlook').filter({ hasText: /到，不影响他人|户迟到/ }).waitFor()
  await sure.click()
  await desk.barIn(ana, job).waitFor()

  const { summary, job: whole } = await hall.jobPage(job)
  assert.equal(summary.technician, ana)
  assert.notEqual(summary.window.start, window.start)
  assert.equal(summary.window.end - summary.window.start, 90 * 60_000)
  const agreed = Object.values(whole.plan.appointments)
  assert.deepEqual(agreed.map((it) => it.channel), ['phone', 'phone'])
  assert.deepEqual(desk.problems, [])
})

test('the keyboard alone finds a job on the board and moves it', async (t) => {
  const { hall, desk, ana, ben, job } = await atDesk(t)
  await hall.post(`/api/jobs/${job}/assignments`, { technician: ana })
  await desk.barIn(ana, job).waitFor()
  await desk.bar(job).focus()
  const focused = () => desk.page.evaluate(() => document.activeElement.dataset.bar)
  await shows(focused, job)
  await desk.page.keyboard.press('ArrowRight')
  await until(focused, (bar) => bar && bar !== job, 'the next bar has the focus')
  await desk.page.keyboard.press('ArrowLeft')
  await shows(focused, job)

  await desk.page.keyboard.press('m')
  const dialog = desk.page.getByRole('dialog')
  await dialog.getByLabel('技术员').selectOption(ben)
  await dialog.getByRole('button', { name: '确定' }).focus()
  await desk.page.keyboard.press('Enter')
  await desk.barIn(ben, job).waitFor()

  assert.equal(await holder(hall, job), ben)
  assert.deepEqual(desk.problems, [])
})

test("two dispatchers see each other's changes by themselves, and of two who grab one job one is told", async (t) => {
  const { hall, desk, ana, ben, job } = await atDesk(t)
  const other = await Desk.open(hall, he)
  t.after(() => other.close().catch(() => undefined))
  await other.card(job).waitFor()
  // Both hold the same version of the job; the slower one drops what is gone by then.
  await other.drag(other.card(job), other.row(ben))
  await other.page.locator('.ghost').filter({ hasText: /户迟到|不影响他人/ }).waitFor()
  await desk.drag(desk.card(job), desk.row(ana))
  const dropped = Date.now()
  await desk.page.mouse.up()
  await other.barIn(ana, job).waitFor()
  const took = Date.now() - dropped
  await other.page.mouse.up()

  await other.page.locator('.toast .bad').filter({ hasText: `现由 ${me.name} 负责` }).waitFor()
  assert.equal(await holder(hall, job), ana)
  assert.ok(took < 2_000, `the other desk saw it after ${took} ms`)
  assert.deepEqual([...desk.problems, ...other.problems], [])
})

test('an edit of a version that is gone is refused in words', async (t) => {
  const { hall, desk, ana, ben, job } = await atDesk(t)
  await desk.card(job).getByRole('button', { name: '移动到…' }).click()
  const dialog = desk.page.getByRole('dialog')
  await dialog.getByLabel('技术员').selectOption(ben)
  await hall.post(`/api/jobs/${job}/assignments`, { technician: ana })
  await desk.barIn(ana, job).waitFor()
  await dialog.getByRole('button', { name: '确定' }).click()

  const told = desk.page.locator('.toast .bad')
  await told.waitFor()
  await shows(() => told.innerText(), new RegExp(`刚被别人改动：现由 ${me.name} 负责`))
  assert.equal(await holder(hall, job), ana)
})

test('a tap at a door is on board and wall within two seconds, and a silent phone is no good news', async (t) => {
  const { hall, desk } = await atDesk(t)
  const job = await hall.job('meter_reading', me.login, '30100005')
  const phone = await Phone.open(hall, place(t, 'profile'))
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(me)
  await phone.sent()
  await desk.go('/wall')
  const line = desk.page.locator(`tr[data-job="${job}"]`)
  await line.filter({ hasText: '已派' }).waitFor()

  await phone.job(job)
  await phone.tap('出发')
  const tapped = Date.now()
  await line.filter({ hasText: '在途' }).waitFor()
  const took = Date.now() - tapped

  assert.ok(took < 2_000, `it took ${took} ms`)
  await line.filter({ hasText: '手机' }).waitFor()
  await phone.kill()
  // Twenty minutes later nothing was heard: that is not fine, and looks unlike it.
  await desk.page.clock.install()
  await desk.page.clock.fastForward(20 * 60_000)
  await line.locator('.unknown').filter({ hasText: '无法得知' }).waitFor()
  assert.deepEqual(desk.problems, [])
})

test('a server that is away is said at once, and the board goes on by itself without a gap', async (t) => {
  const { hall, desk, ana, job } = await atDesk(t)
  await desk.page.locator('.link.live').waitFor()
  await hall.stop()
  await desk.page.locator('.link.behind').waitFor()
  await hall.start()
  await hall.post(`/api/jobs/${job}/assignments`, { technician: ana })

  await desk.page.locator('.link.live').waitFor({ timeout: 20_000 })
  await desk.barIn(ana, job).waitFor()
  assert.deepEqual(desk.problems, [])
})

test('one search finds a household by account, name, phone or address, with what may be told', async (t) => {
  const { hall, desk, ana, job } = await atDesk(t)
  await hall.post(`/api/jobs/${job}/assignments`, { technician: ana })
  const { household } = (await hall.jobPage(job)).job.briefing
  for (const words of [household.account, household.holder, household.phone, household.address.slice(-9)]) {
    await desk.page.getByRole('searchbox').fill(words)
    await desk.page.getByRole('button', { name: '查工单' }).click()
    const card = desk.page.locator(`.found [data-job="${job}"]`)
    await card.filter({ hasText: `由技术员 ${me.name} 上门` }).waitFor()
  }
  assert.deepEqual(desk.problems, [])
})

test('hall staff look, and have nothing to move with', async (t) => {
  const hall = await opened(t)
  const desk = await Desk.open(hall, staff('营业员'))
  t.after(() => desk.close().catch(() => undefined))
  await desk.page.locator('.bar').first().click()
  await desk.page.locator('.peek').waitFor()

  await shows(() => desk.page.getByRole('button', { name: '移动到…' }).count(), 0)
})
