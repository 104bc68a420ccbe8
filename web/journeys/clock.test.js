// A phone whose clock is set while it is at the door.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone } from './browser.js'
import { opened, place } from './ground.js'
import { staff } from './hall.js'
import { goIn, goOut, readMeter } from './visit.js'

const DAY = 24 * 3_600_000

for (const moved of [2 * DAY, -2 * DAY]) {
  test(`f9 a clock moved by ${moved / DAY} days is told, and the arrival is judged by the hall's time`, async (t) => {
    const hall = await opened(t)
    const me = staff('技术员')
    const job = await hall.job('meter_reading', me.login, '30100005')
    const phone = await Phone.open(hall, place(t, 'profile'), { serviceWorkers: 'block' })
    t.after(() => phone.close().catch(() => undefined))
    await phone.enrol(me)
    await phone.sent()
    await hall.stop()
    await phone.shiftClock(moved)

    await goIn(phone, job)
    await readMeter(phone)
    await goOut(phone, false)
    await hall.start()
    await phone.sent()

    await phone.page.getByText('手机时钟不准').first().waitFor()
    const shown = await hall.jobPage(job)
    const [judged] = shown.verdicts ?? shown.punctuality ?? []
    assert.equal(judged?.punctuality?.punctuality ?? judged?.punctuality, 'on_time', JSON.stringify(shown).slice(0, 600))
    assert.deepEqual(phone.problems, [])
  })
}
