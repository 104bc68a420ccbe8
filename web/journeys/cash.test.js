// Cash at home: taken without a network, heard of later, counted at the hall, and the day balances to the fen (B15).

import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findings } from './axe.js'
import { Phone } from './browser.js'
import { Desk } from './desk.js'
import { opened, place, shows } from './ground.js'
import { ACCOUNTS, staff } from './hall.js'
import { goIn, goOut } from './visit.js'

const me = staff('技术员')
const counter = staff('营业员')
const PHONE = { width: 360, height: 740 }

/** Takes a picture of a screen in both languages, where somebody wants to look at it. */
async function shot(page, name) {
  const folder = process.env.DOORSTEP_SHOTS
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}

test('b15 cash taken without a network is heard of, counted, and the day balances to the fen', async (t) => {
  const hall = await opened(t)
  const job = await hall.job('cash_collection', me.login, ACCOUNTS[0])
  const phone = await Phone.open(hall, place(t, 'profile'))
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(me)
  await phone.kept()
  await phone.sent()
  await phone.context.setOffline(true)
  await hall.stop()

  await goIn(phone, job)
  await phone.page.getByLabel('金额').fill('86.05')
  const why = phone.page.getByLabel('为何收现金')
  if (await why.isVisible()) await why.fill('扫码付不了')
  await shows(() => phone.page.locator('.receipt').innerText(), /收据号 00000001/)
  await shot(phone.page, 'phone-cash-zh')
  await phone.tap('已收款并开收据')
  await goOut(phone)
  await phone.page.evaluate(() => (location.hash = '#/phone'))
  await shows(() => phone.page.locator('.cash .sum').innerText(), '¥ 86.05')
  await shows(() => phone.page.locator('.cash').innerText(), /未联网/)

  await hall.start()
  await phone.context.setOffline(false)
  await phone.sent()
  await shows(() => phone.page.locator('.cash').innerText(), /营业厅 \d\d:\d\d 的数据/)
  await shot(phone.page, 'phone-carried-zh')
  assert.deepEqual(await findings(phone.page), [])

  const desk = await Desk.open(hall, counter)
  t.after(() => desk.close())
  await desk.go('/cash')
  const line = desk.page.locator('[data-technician]')
  await shows(() => line.locator('.difference').innerText(), /−¥ 86.05/)
  await shot(desk.page, 'desk-cash-zh')
  const count = async (sum, more = async () => {}) => {
    await line.getByRole('button', { name: '点收现金' }).click()
    await desk.page.getByLabel('点收金额').fill(sum)
    await more()
    await shot(desk.page, `desk-count-${sum}-zh`)
    await desk.page.locator('dialog').getByRole('button', { name: '登记' }).click()
  }
  await count('68.05')
  await shows(() => line.locator('.difference').innerText(), /−¥ 18.00/)
  await count('18')
  await shows(() => line.locator('.difference').innerText(), /✓ ¥ 0.00/)
  await count('-0.01', () => desk.page.getByLabel('更正原因').fill('多点一分'))
  await shows(() => line.locator('.difference').innerText(), /≠ −¥ 0.01/)
  await count('0.01')
  await shows(() => line.locator('.difference').innerText(), /✓ ¥ 0.00/)
  assert.deepEqual(await findings(desk.page), [])

  await phone.page.reload()
  await phone.unlock()
  await phone.page.evaluate(() => (location.hash = '#/phone'))
  await shows(() => phone.page.locator('.cash .sum').innerText(), '¥ 0.00')
  for (const [page, name] of [[desk.page, 'desk-cash'], [phone.page, 'phone-carried']]) {
    await page.evaluate(() => localStorage.setItem('doorstep.language', 'en'))
    await page.reload()
    if (page === phone.page) {
      await phone.unlock()
      await page.evaluate(() => (location.hash = '#/phone'))
      await page.locator('.cash').waitFor()
    } else await page.locator('.cash-table').first().waitFor()
    await shot(page, `${name}-en`)
  }
  await desk.page.setViewportSize(PHONE)
  await shot(desk.page, 'desk-cash-360')
  assert.deepEqual({ desk: desk.problems, phone: phone.problems }, { desk: [], phone: [] })
})
