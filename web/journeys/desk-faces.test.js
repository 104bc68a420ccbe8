// Every screen of the console, in both languages and on both sizes: looked at by axe, and kept as pictures for people.

import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findings } from './axe.js'
import { Desk } from './desk.js'
import { ROOT, opened } from './ground.js'
import { staff } from './hall.js'

for (const [language, theme, width, height] of [
  ['zh', 'light', 1440, 900],
  ['en', 'light', 1440, 900],
  ['zh', 'dark', 1920, 1080],
  ['en', 'dark', 1920, 1080],
]) {
  const name = `desk-${language}-${theme}-${width}`
  test(`axe finds nothing on any screen of the console: ${name}`, async (t) => {
    const hall = await opened(t)
    const now = Math.floor(Date.now() / 3_600_000) * 3_600_000
    const window = { start: now, end: now + 2 * 3_600_000 }
    for (const [kind, account] of [['repair', '30100005'], ['ignition', '30100001']]) {
      await hall.post('/api/jobs', { kind, account, request: '灶火不旺', appointment: { window, channel: 'phone' } })
    }
    await hall.post('/api/jobs', { kind: 'emergency', account: '30100002', request: '厨房有异味' })
    await hall.post('/api/cases', { kind: 'complaint', channel: 'phone', account: '30100005', words: '上次上门没有穿鞋套' })
    const kept = { language, look: JSON.stringify({ theme, large: false }) }
    const origin = hall.base
    const storageState = { cookies: [], origins: [{ origin, localStorage: Object.entries(kept).map(([key, value]) => ({ name: `doorstep.${key}`, value })) }] }
    const desk = await Desk.open(hall, staff('调度员'), { viewport: { width, height }, storageState })
    t.after(() => desk.close().catch(() => undefined))
    const { page } = desk
    const shots = join(ROOT, 'shots', name)
    mkdirSync(shots, { recursive: true })
    const found = []
    const look_at = async (screen) => {
      await page.screenshot({ path: join(shots, `${screen}.png`) })
      found.push(...(await findings(page)).map((finding) => `${screen}: ${finding}`))
    }

    await page.locator('.card').nth(2).waitFor()
    await page.locator('.bar').first().waitFor()
    await look_at('board')
    await page.locator('.nearest li').first().waitFor()
    await page.locator('.tools button').last().click()
    await page.locator('.plan :is(.gains, [data-left])').first().waitFor({ timeout: 20_000 })
    await look_at('board-plan')
    await page.locator('.plan > .buttons button').last().click()
    await page.locator('.bar').nth(3).click()
    await page.locator('.peek').waitFor()
    await look_at('board-job')
    await page.locator('.peek button.primary').click()
    await page.locator('dialog input[type="checkbox"]').check()
    await page.locator('dialog .outlook:not(:empty)').waitFor()
    await look_at('board-move')
    await page.keyboard.press('Escape')
    await desk.go('/intake')
    await page.locator('input[type=search]').last().fill('30100005')
    await page.locator('.hits button').first().click()
    await page.locator('input[value="repair"]').check()
    await page.locator('input[type=date]').fill(new Date(Date.now() + 32 * 3_600_000).toISOString().slice(0, 10))
    await page.locator('input[name="window"]').first().check()
    await page.locator('input[name="technician"]').first().waitFor()
    await look_at('intake')
    await page.locator('input[value="emergency"]').check()
    await page.locator('input[name="technician"]').nth(1).waitFor()
    await look_at('intake-leak')
    await desk.go('/wall')
    await page.locator('table').waitFor()
    await look_at('wall')
    await desk.find('30100005')
    await page.locator('.found li').first().waitFor()
    await look_at('find')
    await page.locator('.found li a').first().click()
    await page.locator('.timeline li').first().waitFor()
    await page.locator('.usage').first().waitFor()
    await look_at('job')
    await desk.go('/cases')
    await page.locator('tbody tr .case-clock').first().waitFor()
    await look_at('cases')
    await page.locator('tbody tr').first().click()
    await page.locator('.timeline li').first().waitFor()
    await page.locator('.act-buttons button').nth(1).click()
    await look_at('case')
    await desk.go('/outages')
    await page.locator('.outages .nothing, .outage-list').first().waitFor()
    await look_at('outages')
    await desk.go('/outages/new')
    await page.locator('.roads label').first().waitFor()
    await page.locator('.roads label input').first().check()
    await page.locator('[data-check]').waitFor()
    await look_at('outages-new')
    await desk.go('/reminders')
    await page.locator('.duty').first().click()
    await page.locator('.note').waitFor()
    await look_at('reminders')
    await desk.go('/households')
    await page.locator('main input[type=search]').fill('30100005')
    await page.locator('tbody tr').first().waitFor()
    await look_at('households')
    await page.locator('tbody tr a').first().click()
    await page.locator('.home .usage').first().waitFor()
    await look_at('household')
    await page.locator('header.top > button').last().click()
    await page.locator('.sign-in').waitFor()
    await look_at('sign-in')

    assert.deepEqual(found, [])
    assert.deepEqual(desk.problems, [])
  })
}
