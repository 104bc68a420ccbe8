// Nothing of people where others look or browsers keep it: titles, addresses, the console, what is copied and what is stored.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Desk } from './desk.js'
import { opened } from './ground.js'
import { ACCOUNTS, staff } from './hall.js'

test('check_55 no screen of the desk puts people into titles, addresses, the console or storage', async (t) => {
  const hall = await opened(t)
  const who = staff('管理员')
  await hall.signIn(who)
  const { households } = await hall.get(`/api/households?text=${ACCOUNTS[4]}`)
  const { holder, address, phone } = (await hall.get(`/api/households/${households[0].id}`)).household
  const { id: job } = await hall.post('/api/jobs', { kind: 'repair', account: ACCOUNTS[4], request: '灶火不旺' })
  const secrets = [holder, address, phone]
  assert.ok(secrets.every((it) => it.length > 1))

  const desk = await Desk.open(hall, who)
  t.after(() => desk.close().catch(() => undefined))
  const { page } = desk
  const said = []
  page.on('console', (message) => said.push(`console: ${message.text()}`))
  await page.evaluate(() => {
    window.copied = []
    const write = navigator.clipboard?.writeText
    if (write) navigator.clipboard.writeText = (text) => (window.copied.push(text), write.call(navigator.clipboard, text))
  })
  const screens = ['/board', '/intake', '/wall', '/applications', '/cases', '/households', `/households/${households[0].id}`, '/due', '/outages', '/doors', '/cash', '/reminders', '/figures', '/me', '/admin/people', '/admin/phones', '/admin/audit', `/job/${job}`]
  let seen = false
  const look = async (screen) => {
    await page.locator('main').waitFor()
    await page.waitForLoadState('networkidle').catch(() => undefined)
    seen ||= (await page.locator('main').innerText()).includes(address)
    said.push(`title of ${screen}: ${await page.title()}`, `address of ${screen}: ${decodeURIComponent(page.url())}`)
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state, window.copied, document.cookie]))
    said.push(`kept on ${screen}: ${kept}`)
  }
  for (const screen of screens) {
    await desk.go(screen)
    await look(screen)
  }
  for (const words of secrets) {
    await desk.find(words)
    await page.locator('main ol.found li').first().waitFor()
    await look(`the search for ${words.length} letters`)
  }

  assert.ok(seen, 'the household stood on a screen')
  for (const secret of secrets) assert.deepEqual(said.filter((it) => it.includes(secret)), [], 'a secret')
  assert.deepEqual(desk.problems, [])
})
