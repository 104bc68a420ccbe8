// A leak from the call to who leads: rung on phones, answered by nobody, sounded on every console, accepted offline by two.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findings } from './axe.js'
import { Phone } from './browser.js'
import { Desk } from './desk.js'
import { opened, place, shows, until } from './ground.js'
import { crew, staff } from './hall.js'

const TOO_LONG_MS = 41_000
const LOOK = process.env.DOORSTEP_LOOK

/** Keeps a picture for a person to look at, where one asks for it. */
const look = async (page, name) => LOOK && (await page.screenshot({ path: `${LOOK}/${name}.png` }))

/** Lets time pass at the hall. */
async function pass(hall, ms) {
  const { now } = await hall.get('/api/leaks')
  await hall.post('/api/clock', { now_ms: now + ms })
}

test('b2 a leak is rung, escalated to an alarm that somebody takes on, and led by who accepted first offline', async (t) => {
  const hall = await opened(t, ['--clock', 'manual'])
  // The hall's clock goes on as phones' do, and can be moved ahead.
  const ticking = setInterval(() => void pass(hall, 500).catch(() => undefined), 500)
  t.after(() => clearInterval(ticking))
  const desk = await Desk.open(hall, staff('调度员'))
  t.after(() => desk.close().catch(() => undefined))
  const other = await Desk.open(hall, staff('调度员', 1) ?? staff('店长') ?? staff('管理员'))
  t.after(() => other.close().catch(() => undefined))
  const leak = async () => (await hall.get('/api/leaks')).leaks.find((it) => it.caller_phone === '13912345678')

  // Two fields and a tap.
  await desk.go('/intake')
  const form = desk.page.locator('.leak-form')
  await form.getByLabel('哪里').fill('30100005')
  await form.locator('.leak-hits button').first().click()
  await form.getByLabel('来电人电话').fill('13912345678')
  await look(desk.page, 'desk-form-zh')
  await form.getByRole('button', { name: '立即呼叫抢修' }).click()
  await desk.page.locator('.leak', { hasText: '正在呼叫' }).first().waitFor()
  const begun = await until(leak, (it) => it?.called.length === 2, 'two are called at once')
  await other.page.locator(`[data-leak="${begun.job}"]`).waitFor()
  await look(desk.page, 'desk-calling-zh')

  const strip = (screen) => screen.page.locator(`.leak[data-leak="${begun.job}"]`)

  // It stands on the phones of the two who were called.
  const { users } = await hall.get('/api/users?role=technician&limit=500')
  const people = crew()
  const called = begun.called.map((it) => people.find((one) => one.login === users.find((user) => user.id === it.id).login))
  const phones = []
  for (const [at, person] of called.entries()) {
    const phone = await Phone.open(hall, place(t, `profile-${at}`))
    t.after(() => phone.close().catch(() => undefined))
    await phone.enrol(person)
    await phone.kept()
    await phone.page.locator(`.leak-call[data-call="${begun.job}"]`).waitFor()
    phones.push(phone)
  }
  const [first, second] = phones
  await look(first.page, 'phone-call-zh')
  assert.deepEqual(await findings(first.page), [])

  // Nobody answers: others, then every console.
  const escalated = await until(async () => (await pass(hall, TOO_LONG_MS), leak()), (it) => it.state === 'alarm', 'the alarm')
  assert.ok(escalated.called.length > 2, 'others were called before')
  for (const screen of [desk, other]) {
    const alarm = screen.page.locator(`.leak-alarm [data-alarm="${begun.job}"]`)
    await alarm.waitFor()
    await shows(() => alarm.innerText(), /139\s?1234\s?5678/)
  }
  await look(desk.page, 'desk-alarm-zh')
  assert.deepEqual(await findings(desk.page), [])
  await desk.go('/board')
  await shows(() => desk.page.locator('.leak-alarm').isVisible(), true, 'no screen is without it')
  await desk.page.keyboard.press('Escape')
  await shows(() => desk.page.locator('.leak-alarm').isVisible(), true, 'and nobody shuts it by mistake')
  await desk.page.getByRole('button', { name: '由我处理' }).click()
  for (const screen of [desk, other]) await screen.page.locator('.leak-alarm').waitFor({ state: 'hidden' })
  const name = staff('调度员').name
  await strip(other).filter({ hasText: name }).waitFor()
  await look(other.page, 'desk-taken-zh')

  // Both accept where there is no network.
  for (const phone of phones) await phone.context.setOffline(true)
  for (const phone of phones) {
    await phone.page.locator('.leak-call .primary').click()
    await phone.page.locator('[data-part="accepted"]').waitFor()
    await new Promise((done) => setTimeout(done, 1_500))
  }
  await look(first.page, 'phone-accepted-zh')
  await pass(hall, 60_000)
  await second.context.setOffline(false)
  await second.sent()
  await second.page.locator('[data-part="leads"]').waitFor({ timeout: 40_000 })
  await strip(desk).filter({ hasText: called[1].name }).waitFor()
  await first.context.setOffline(false)
  await first.sent()
  await first.page.locator('[data-part="leads"]').waitFor({ timeout: 40_000 })
  await second.sent()
  await second.page.locator('[data-part="supports"]', { hasText: called[0].name }).waitFor({ timeout: 40_000 })
  await strip(desk).filter({ hasText: `${called[0].name} 负责，${called[1].name} 支援` }).waitFor()
  // In English too.
  await desk.page.getByRole('button', { name: 'English' }).click()
  await strip(desk).filter({ hasText: 'supports' }).waitFor()
  await look(desk.page, 'desk-led-en')
  await desk.page.getByRole('button', { name: '中文' }).click()
  await look(first.page, 'phone-leads-zh')
  await look(second.page, 'phone-supports-zh')
  await look(desk.page, 'desk-led-zh')

  // A road that is blocked is proven by a picture, and shows at the desk.
  await first.page.getByRole('button', { name: '出发', exact: true }).click()
  await first.page.getByRole('button', { name: '道路受阻' }).first().click()
  await first.page.locator('.end').getByRole('button', { name: '道路受阻' }).click()
  await first.photo?.('.end')
  if (!first.photo) await first.page.locator('.end input[type="file"]').setInputFiles(new URL('../field/public/icon-512.png', import.meta.url).pathname)
  await first.page.getByText('有照片为证').waitFor()
  await first.page.locator('.end textarea').fill('塌方，绕行')
  await first.page.locator('.end form .primary').click()
  await first.sent()
  await strip(desk).filter({ hasText: '道路受阻：塌方，绕行（有照片）' }).waitFor()
  await look(desk.page, 'desk-road-zh')
  const facts = await hall.facts(begun.job)
  assert.ok(facts.find((fact) => fact.type === 'road_blocked')?.photo)

  for (const it of [desk, other, ...phones]) assert.deepEqual(it.problems, [])
})
