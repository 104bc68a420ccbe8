// Outages at the desk: judged before anybody is told, told by a real gateway, the rest at their doors, and known to who takes calls (B13).

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { findings } from './axe.js'
import { Desk } from './desk.js'
import { ROOT, opened, shows, until } from './ground.js'
import { staff } from './hall.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const [dora, manager, counter] = [staff('调度员'), staff('经理'), staff('营业员')]
/** Ten in the morning of a day next week in the hall's city: what the demo promised is over by then, and messages go out. */
const TEN = Math.floor((Date.now() + 8 * HOUR_MS) / DAY_MS + 8) * DAY_MS + 2 * HOUR_MS
/** Whose messages the gateway refuses. */
const REFUSED = '05530200002'

/** A gateway on this machine that keeps what it took. */
async function gateway(t) {
  const heard = []
  const server = createServer(async (request, reply) => {
    let text = ''
    for await (const part of request) text += part
    const { data } = JSON.parse(text)
    if (data.phone.replace(/\D/g, '') === REFUSED) reply.statusCode = 503
    else heard.push(data)
    reply.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { address: `127.0.0.1:${server.address().port}`, heard }
}

/** A hall at ten in the morning that a gateway listens to, and a way to another time for it and its desks. */
async function ready(t) {
  const sms = await gateway(t)
  process.env.DOORSTEP_WEBHOOK_ALLOWED = sms.address
  const hall = await opened(t, ['--clock', 'manual'])
  const desks = []
  const at = async (ms) => {
    await hall.post('/api/clock', { now_ms: ms })
    for (const desk of desks) await desk.page.clock.setFixedTime(ms)
  }
  await at(TEN)
  await hall.signIn(manager)
  await hall.post('/api/webhooks', { url: `http://${sms.address}/sms`, kinds: ['household.notice'], with_household: false })
  await hall.signIn(dora)
  const desk = async (person, options) => {
    const it = await Desk.open(hall, person, options)
    t.after(() => it.close().catch(() => undefined))
    await it.page.clock.setFixedTime(TEN)
    desks.push(it)
    return it
  }
  return { hall, sms, at, desk }
}

const shot = async (page, name) => {
  const shots = join(ROOT, 'shots', 'outages')
  mkdirSync(shots, { recursive: true })
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true })
}

/** Walks to something by the Tab key alone. */
async function tabTo(page, what) {
  await what.waitFor()
  for (let steps = 0; steps < 120; steps++) {
    if (await what.evaluate((it) => it === document.activeElement)) return
    await page.keyboard.press('Tab')
  }
  throw new Error('no Tab leads there')
}

/** What a field for day and time holds. */
const field = (ms) => new Date(ms + 8 * HOUR_MS).toISOString().slice(0, 16)

test('b13 an outage is judged before it is announced, told by message and at the door, prolonged, ended, and known at intake', async (t) => {
  const { hall, sms, at, desk } = await ready(t)
  const mine = await desk(dora)
  const { page } = mine
  await mine.go('/outages')
  await page.getByText('没有未结束的停气').waitFor()
  await page.getByRole('button', { name: '登记停气' }).focus()
  await page.keyboard.press('Enter')

  // By the keyboard alone: a place, its buildings, a reason.
  await tabTo(page, page.getByLabel('查找道路、小区、楼幢'))
  await page.keyboard.type('听江里')
  await tabTo(page, page.getByLabel('听江里1幢', { exact: false }))
  await page.keyboard.press('Space')
  await tabTo(page, page.getByLabel('听江里2幢', { exact: false }))
  await page.keyboard.press('Space')
  const households = page.locator('.reach div').filter({ hasText: '涉及用户' })
  await households.filter({ hasText: '8' }).waitFor()
  await until(async () => (await page.getByLabel('范围（用户看到的文字）').inputValue()) === '吉和街听江里1幢、吉和街听江里2幢', Boolean, 'the words follow the picks')
  await tabTo(page, page.getByLabel('停气原因'))
  await page.keyboard.type('管道检修')
  await page.locator('[data-check="in_time"]').waitFor()
  await page.getByText('用户将收到的短信').click()
  await page.locator('.message').filter({ hasText: '原因：管道检修。请提前关好阀门' }).waitFor()
  await shot(page, 'form-zh')
  assert.deepEqual(await findings(page), [])

  // Tomorrow is too soon: no announcing without a reason, and one tap to where it is in time.
  await page.getByLabel('停气开始').fill(field(TEN + DAY_MS))
  await page.getByLabel('预计恢复').fill(field(TEN + DAY_MS + 4 * HOUR_MS))
  await page.locator('[data-check="late"]').waitFor()
  const announce = page.getByRole('button', { name: '通知 8 户' })
  await page.locator('button:disabled').filter({ hasText: '通知 8 户' }).waitFor()
  await shot(page, 'late-zh')
  assert.deepEqual(await findings(page), [])
  await page.getByRole('button', { name: '改到这个时间' }).click()
  await page.locator('[data-check="in_time"]').waitFor()
  const from = TEN + 2 * DAY_MS
  await shows(() => page.getByLabel('停气开始').inputValue(), field(from))
  await announce.click()
  await page.getByRole('dialog').getByText('短信 8 户').waitFor()
  await shot(page, 'confirm-zh')
  await page.getByRole('dialog').getByRole('button', { name: '通知 8 户' }).click()

  // Seven are told at once; the gateway refuses the eighth, who gets a notice on the door.
  await page.locator('[data-state="coming"]').waitFor()
  await page.locator('[data-told]').filter({ hasText: '已通知 7 / 8 户' }).waitFor()
  await page.locator('[data-promise]').filter({ hasText: 'B13 还剩' }).waitFor()
  const refused = page.locator('[data-home]').filter({ hasText: '503' })
  await refused.waitFor()
  assert.equal(sms.heard.length, 7)
  assert.match(sms.heard[0].text, /停气通知：吉和街听江里1幢、吉和街听江里2幢/)
  await shot(page, 'page-zh')
  assert.deepEqual(await findings(page), [])
  await refused.getByRole('checkbox').check()
  await page.getByRole('button', { name: '登记已张贴（选中 1 户）' }).click()
  await page.getByRole('dialog').getByRole('button', { name: '登记张贴' }).click()
  await page.locator('[data-told]').filter({ hasText: '已通知 8 / 8 户' }).waitFor()
  await page.locator('[data-promise]').filter({ hasText: 'B13 已兑现' }).waitFor()
  await page.getByText('全部通知到了').waitFor()
  const id = (await page.evaluate(() => location.hash)).split('/').pop()
  const file = await page.evaluate(async (path) => (await fetch(path)).text(), `/api/outages/${id}/record?format=csv`)
  assert.equal(file.trim().split('\r\n').length, 9)
  assert.match(file, /门上通知/)

  // Whoever takes calls knows of it before the caller has said it.
  const phone = await desk(counter)
  await phone.go('/intake')
  await phone.page.getByLabel('哪一户').fill('30100001')
  await phone.page.locator('.hits').getByText('将停气').waitFor()
  await shot(phone.page, 'intake-hits-zh')
  await phone.page.locator('.hits button').first().click()
  await phone.page.locator('[data-home-outage="coming"]').waitFor()
  assert.deepEqual(await findings(phone.page), [])

  // It runs, takes longer, and ends; each is told to all.
  await at(from + HOUR_MS)
  await hall.signIn(dora)
  const later = await desk(dora)
  await at(from + HOUR_MS)
  await later.go(`/outages/${id}`)
  await later.page.locator('[data-state="running"]').waitFor()
  await later.page.getByRole('button', { name: '延长' }).click()
  await later.page.getByLabel('新的预计恢复时间').fill(field(from + 8 * HOUR_MS))
  await later.page.getByLabel('原因（不填则同前）').fill('配件未到')
  await shot(later.page, 'prolong-zh')
  assert.deepEqual(await findings(later.page), [])
  await later.page.getByRole('dialog').getByRole('button', { name: '延长停气' }).click()
  await later.page.locator('[data-telling="outage_prolonged"]').waitFor()
  await until(() => sms.heard.filter((it) => it.occasion === 'outage_prolonged').length === 7, Boolean, 'the new end is told')
  await later.page.getByRole('button', { name: '恢复供气', exact: true }).click()
  await later.page.getByRole('dialog').getByRole('button', { name: '登记恢复供气' }).click()
  await later.page.locator('[data-state="ended"]').waitFor()
  await until(() => sms.heard.filter((it) => it.occasion === 'outage_ended').length === 7, Boolean, 'its end is told')
  await later.page.locator('[data-telling="outage_ended"]').waitFor()
  await shot(later.page, 'ended-zh')
  assert.deepEqual(await findings(later.page), [])
  const { households: [home] } = await hall.get('/api/households?text=30100001')
  await later.go(`/households/${home.id}`)
  await later.page.locator('[data-home-outage="ended"]').waitFor()
  assert.deepEqual([mine.problems, phone.problems, later.problems], [[], [], []])
})

test('b13 a promise that will be broken soon is on the desk\'s lists before it is, and an unforeseen outage is told at once', async (t) => {
  const { hall, sms, at, desk } = await ready(t)
  const window = { start: TEN + 50 * HOUR_MS, end: TEN + 54 * HOUR_MS }
  const picks = { buildings: ['芜湖市镜湖区文化路书院里1幢'] }
  const { id } = await hall.post('/api/outages', { kind: 'planned', window, picks, area: '文化路书院里1幢', reason: '换阀' })
  await at(TEN + 60_000)
  const mine = await desk(manager, { viewport: { width: 1920, height: 1080 } })
  await at(TEN + 60_000)
  const { page } = mine
  await page.getByRole('button', { name: 'English' }).click()
  await mine.go('/reminders')
  const line = page.locator('.reminders tbody tr').filter({ hasText: 'Outage: 文化路书院里1幢' })
  await line.filter({ hasText: 'A promise will be broken soon' }).waitFor()
  await shot(page, 'reminder-en')
  await mine.go('/figures/promises')
  await page.locator('[data-open-outage]').filter({ hasText: 'At risk' }).filter({ hasText: '0 / 4' }).waitFor()
  assert.deepEqual(await findings(page), [])
  await shot(page, 'figures-en')

  await mine.go('/outages/new')
  await page.getByLabel('Unforeseen').check()
  await page.getByLabel('Add a single household').fill('30100006')
  await page.locator('.area-picker .hits button').first().click()
  await page.getByLabel('Where, as households read it').fill('吉和街听江里3幢')
  await page.getByLabel('Reason', { exact: true }).fill('漏气抢修')
  await page.locator('[data-check="in_time"]').waitFor()
  await shot(page, 'form-en')
  assert.deepEqual(await findings(page), [])
  await page.getByRole('button', { name: 'Announce to 1' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Announce to 1' }).click()
  await page.locator('[data-promise]').filter({ hasText: 'B13 kept' }).waitFor()
  await until(() => sms.heard.some((it) => it.occasion === 'outage_unforeseen'), Boolean, 'it is told')
  await shot(page, 'page-en')
  await mine.go('/outages')
  await page.locator(`[data-outage="${id}"]`).filter({ hasText: 'Draft, nobody told' }).waitFor()
  await page.locator('[data-outage]').filter({ hasText: 'Gas is off' }).waitFor()
  await shot(page, 'list-en')
  assert.deepEqual(await findings(page), [])

  // What was in preparation and is called off is told to nobody.
  await mine.go(`/outages/${id}`)
  await page.getByRole('button', { name: 'Call it off' }).click()
  await page.getByLabel('Why (households do not read it)').fill('postponed')
  await page.getByRole('dialog').getByRole('button', { name: 'Call it off' }).click()
  await page.locator('[data-state="cancelled"]').waitFor()
  assert.equal(sms.heard.length, 1)
  assert.deepEqual(mine.problems, [])
})
