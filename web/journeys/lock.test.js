// The PIN, its ten tries, the lease, and the hall's way back in.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PIN, Phone } from './browser.js'
import { opened, place } from './ground.js'
import { staff } from './hall.js'

const me = staff('技术员')

async function locked(t, options) {
  const hall = await opened(t)
  const job = await hall.job('meter_reading', me.login, '30100005')
  const phone = await Phone.open(hall, place(t, 'profile'), options)
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(me)
  await phone.sent()
  return { hall, job, phone }
}

test('check_52 ten wrong PINs need the hall, and a new code brings the unsent work back', async (t) => {
  const { hall, job, phone } = await locked(t)
  await phone.kept()
  await hall.stop()
  await phone.job(job)
  await phone.tap('出发')
  await phone.page.reload()

  for (let left = 9; left > 0; left -= 1) {
    await phone.unlock('000000')
    await phone.page.getByText(`还可再试 ${left} 次`).waitFor()
    // A kill between two tries gives none back.
    if (left === 5) await phone.page.reload()
  }
  await phone.unlock('000000')
  await phone.page.getByText('需要营业厅解锁').waitFor()
  await phone.page.reload()
  await phone.page.getByText('需要营业厅解锁').waitFor()
  await hall.start()
  await phone.enrol(me, '440044')
  await phone.sent()

  assert.deepEqual((await hall.facts(job)).map((fact) => fact.type), ['set_out'])
  assert.equal((await hall.get('/api/devices')).devices.length, 1)
  await phone.page.reload()
  await phone.unlock(PIN)
  await phone.page.getByText('还可再试 9 次').waitFor()
  await phone.unlock('440044')
  await phone.listed()
})

test('until the phone has counted what is unsent, it neither says that the hall has everything nor lets anybody leave', async (t) => {
  const { phone } = await locked(t)
  await phone.page.addInitScript(() => {
    const post = Worker.prototype.postMessage
    Worker.prototype.postMessage = function (message, ...more) {
      const isCount = message.call === 'ask' && message.args[0].do === 'state'
      if (isCount && !globalThis.counted) globalThis.waiting = () => post.call(this, message, ...more)
      else post.call(this, message, ...more)
    }
  })
  await phone.page.reload()
  await phone.unlock()
  await phone.page.locator('.strip', { hasText: '请稍候' }).waitFor()
  await phone.page.evaluate(() => (location.hash = '#/phone'))
  const leave = phone.page.getByRole('button', { name: '退出并清空本机' })
  assert.ok(await leave.isDisabled())
  assert.equal(await phone.page.locator('.strip.held').count(), 0)

  await phone.page.evaluate(() => ((globalThis.counted = true), globalThis.waiting()))
  await phone.page.locator('.strip.held').waitFor()
  assert.ok(await leave.isEnabled())
  assert.deepEqual(phone.problems, [])
})

test('the screen locks at once when told, and the work behind it goes on', async (t) => {
  const { phone } = await locked(t)
  await phone.page.evaluate(() => (location.hash = '#/phone'))
  await phone.page.getByRole('button', { name: '立即锁定' }).click()

  await phone.unlock('111111')
  await phone.page.getByText('还可再试 9 次').waitFor()
  await phone.unlock()
  await phone.listed()
})

test('check_52 after the lease the PIN alone opens nothing, and the hall lends again', async (t) => {
  const { hall, phone } = await locked(t, { serviceWorkers: 'block' })
  await phone.shiftClock(8 * 24 * 3_600_000)
  await hall.stop()
  // The app itself has to come from somewhere: this phone keeps no copy in this test.
  await hall.start()
  await phone.page.route('**/api/**', (route) => route.abort())
  await phone.page.reload()
  await phone.page.getByText('离线授权已到期').waitFor()
  await phone.unlock()
  await phone.page.getByText('离线授权已到期').waitFor()

  await phone.page.unroute('**/api/**')
  await phone.unlock()
  await phone.listed()
  assert.deepEqual(phone.problems, [])
})
