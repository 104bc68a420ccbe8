// Networks that lie, break off, hang or refuse: nothing is lost, nothing is blocked, and it goes on by itself.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone } from './browser.js'
import { opened, place } from './ground.js'
import { staff } from './hall.js'
import { conduct, goIn, goOut, readMeter } from './visit.js'
import { Way } from './way.js'

const ACCOUNT = '30100005'

/** A phone behind a way that can be spoilt, with one meter reading to do. */
async function spoilt(t) {
  const hall = await opened(t)
  const way = await Way.open(hall)
  t.after(() => way.close())
  const me = staff('技术员')
  const job = await hall.job('meter_reading', me.login, ACCOUNT)
  const phone = await Phone.open(way, place(t, 'profile'))
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(me)
  return { hall, way, phone, job, me }
}

const strip = (phone) => phone.page.locator('.strip')

test('f11 a portal, a cut, a half reply and a 503 lose nothing and block nothing', async (t) => {
  const { hall, way, phone, job } = await spoilt(t)
  await phone.sent()

  const said = { portal: '不是营业厅', busy: '繁忙', cut: '无网络', half: '无网络' }
  const spoil = async (mode) => {
    way.mode = mode
    await phone.page.locator('.strip .now:enabled').click()
    await strip(phone).locator('small', { hasText: said[mode] }).waitFor()
  }
  await spoil('portal')
  await goIn(phone, job)
  await spoil('busy')
  await readMeter(phone)
  await spoil('cut')
  await conduct(phone, '离开前')
  await spoil('half')
  await phone.tap('完成上门')
  await strip(phone).locator('strong', { hasText: '仅在本机' }).waitFor()
  way.mode = 'open'
  // Nobody taps: it goes on by itself.
  await phone.page.locator('.strip.held:not(.trouble)').waitFor({ timeout: 60_000 })

  const facts = await hall.facts(job)
  assert.equal(facts.filter((fact) => fact.type === 'closed').length, 1)
  assert.equal(facts.filter((fact) => fact.type === 'read').length, 1)
  assert.deepEqual(phone.problems, [])
})

test('a tap is saved while the hall says nothing for a long time', async (t) => {
  const { way, phone, job } = await spoilt(t)
  await phone.sent()
  way.mode = 'silent'
  await phone.page.locator('.strip .now:enabled').click()
  await phone.job(job)

  const began = Date.now()
  await phone.tap('出发')
  await phone.tap('已到达')

  assert.ok(Date.now() - began < 8_000, 'the request under way waits for twenty seconds')
})

test('an expired session keeps the work, and a new code lets it go on', async (t) => {
  const { hall, way, phone, job, me } = await spoilt(t)
  await phone.sent()
  way.mode = 'expired'
  await goIn(phone, job)
  await phone.page.getByText('登录已过期，记录照常保存在本机').first().waitFor()
  await readMeter(phone)
  await goOut(phone, false)

  way.mode = 'open'
  const code = await hall.code(me.login)
  await phone.page.evaluate(() => (location.hash = '#/phone'))
  await phone.page.locator('main').getByRole('button', { name: '输入新登记码' }).last().click()
  await phone.page.getByLabel('登录名').fill(me.login)
  await phone.page.getByLabel('密码').fill(me.password)
  await phone.page.getByLabel('登记码').fill(code)
  await phone.page.getByLabel('设置 PIN').fill('990017')
  await phone.page.getByLabel('再输一次 PIN').fill('990017')
  await phone.tap('继续使用')
  await phone.listed()
  await phone.sent()

  assert.equal((await hall.jobPage(job)).standing.status, 'done')
  const { devices } = await hall.get('/api/devices')
  assert.equal(devices.length, 1, 'it is the same phone')
})

