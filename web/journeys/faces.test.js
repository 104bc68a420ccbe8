// Every screen, in both languages, light and dark: looked at by axe, and kept as pictures for people.

import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findings } from './axe.js'
import { PICTURE, Phone } from './browser.js'
import { ROOT, opened, place } from './ground.js'
import { staff } from './hall.js'

const me = staff('技术员')

for (const [language, look] of [
  ['zh', { theme: 'light', large: false }],
  ['en', { theme: 'dark', large: false }],
  ['zh', { theme: 'dark', large: true }],
]) {
  const name = `${language}-${look.theme}${look.large ? '-large' : ''}`
  test(`axe finds nothing on any screen: ${name}`, async (t) => {
    const hall = await opened(t)
    const inspection = await hall.job('safety_inspection', me.login, '30100001')
    const reading = await hall.job('meter_reading', me.login, '30100005')
    const hose = await hall.job('hose_replacement', me.login, '30100002')
    const cash = await hall.job('cash_collection', me.login, '30100003')
    const phone = await Phone.open(hall, place(t, 'profile'))
    t.after(() => phone.close().catch(() => undefined))
    await phone.context.addInitScript(
      ([language, look]) => {
        localStorage.setItem('doorstep.language', language)
        localStorage.setItem('doorstep.look', JSON.stringify(look))
      },
      [language, look],
    )
    const { page } = phone
    const shots = join(ROOT, 'shots', name)
    mkdirSync(shots, { recursive: true })
    const found = []
    let count = 0
    const look_at = async (screen) => {
      count += 1
      await page.locator('.told p').waitFor({ state: 'detached', timeout: 15_000 })
      await page.screenshot({ path: join(shots, `${String(count).padStart(2, '0')}-${screen}.png`), fullPage: true })
      found.push(...(await findings(page)).map((finding) => `${screen}: ${finding}`))
    }
    const primary = (where = '.now') => phone.saves(() => page.locator(`${where} button.primary`).first().click())
    const enter = async (job) => {
      await phone.job(job)
      await primary()
      await primary()
      for (const step of [4, 5]) {
        await primary()
        await page.locator(`.steps li:nth-child(${step + 1}).done`).waitFor()
      }
    }

    await phone.visit()
    await page.locator('form').waitFor()
    await look_at('enrol')
    await phone.enrol(me)
    await phone.sent()
    await look_at('day')
    await phone.job(inspection)
    await look_at('job')
    await page.locator('.visit > .buttons button').first().click()
    await look_at('agree')
    await page.locator('.visit form button').last().click()
    await primary()
    await primary()
    await look_at('conduct')
    await page.locator('.conduct li .pair button').last().click()
    await look_at('conduct-not-done')
    await primary()
    await page.locator('.steps li:nth-child(5).done').waitFor()
    await primary()
    await page.locator('.steps li:nth-child(6).done').waitFor()
    await page.locator('.work select').selectOption('leak')
    await phone.saves(() => page.locator('.work form button.primary').click())
    await look_at('inspection')
    await phone.saves(() => page.locator('.hazard button.danger').click())
    await phone.saves(() => page.locator('.hazard input[type=file]').first().setInputFiles(PICTURE))
    await look_at('hazard')
    await phone.saves(() => page.locator('input[type=file]').last().setInputFiles(PICTURE))
    await phone.saves(() => page.locator('.work .card', { has: page.locator('button.danger') }).locator('button').first().click())
    await page.locator('.steps li:nth-child(8).next').waitFor()
    await primary()
    await page.locator('canvas').waitFor()
    await look_at('signature')
    await page.locator('.visit > .buttons button').last().click()
    await page.locator('.end .pair button').last().click()
    await look_at('end')
    await page.locator('.recorded summary').click()
    await look_at('recorded')

    await enter(reading)
    for (const digit of '99999') await page.locator('.keypad button', { hasText: digit }).click()
    await page.locator('.verdict').waitFor()
    await look_at('keypad')
    await phone.saves(() => page.locator('.reading > button.primary').click())
    await look_at('abnormal')
    await enter(hose)
    await look_at('hose')
    await enter(cash)
    await look_at('cash')
    await hall.post(`/api/jobs/${cash}/cancellations`, { reason: '用户已在营业厅缴费' })
    await hall.post(`/api/jobs/${cash}/messages`, { text: '请把收据带回' })
    await phone.sent()
    await page.locator('.clash').waitFor()
    await look_at('clash')
    await hall.post(`/api/jobs/${hose}/assignments`, { technician: (await hall.user(staff('技术员', 1).login)).id })
    await phone.sent()
    await page.evaluate(() => (location.hash = '#/'))
    await page.locator('.left').waitFor()
    await look_at('day-with-news')
    await page.evaluate(() => (location.hash = '#/phone'))
    await page.locator('dl').first().waitFor()
    await look_at('phone')
    await page.reload()
    await page.locator('.unlock').waitFor()
    await look_at('unlock')

    assert.deepEqual(found, [])
    assert.deepEqual(phone.problems, [])
  })
}
