// Two crews that replace one hose in two jobs: both pages say so, and who has the case settles it with a reason (B14).

import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findings } from './axe.js'
import { Phone } from './browser.js'
import { Desk } from './desk.js'
import { opened, place, shows } from './ground.js'
import { ACCOUNTS, staff } from './hall.js'
import { goIn } from './visit.js'

const crews = [staff('技术员'), staff('技术员', 1)]

async function shot(page, name) {
  const folder = process.env.DOORSTEP_SHOTS
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}

test('b14 one hose replaced in two jobs is said on both pages and settled with a reason', async (t) => {
  const hall = await opened(t)
  const jobs = []
  for (const crew of crews) jobs.push(await hall.job('hose_replacement', crew.login, ACCOUNTS[1]))
  for (const [at, crew] of crews.entries()) {
    const phone = await Phone.open(hall, place(t, `profile-${at}`))
    await phone.enrol(crew)
    await phone.sent()
    await goIn(phone, jobs[at])
    await phone.page.getByLabel('长度').fill('1500')
    await phone.tap('保存换管')
    await phone.sent()
    assert.deepEqual(phone.problems, [])
    await phone.close()
  }

  const owner = staff('经理')
  const desk = await Desk.open(hall, owner)
  t.after(() => desk.close())
  const { page } = desk
  const card = page.locator('[data-twice]').first()
  for (const job of jobs) {
    await desk.go(`/job/${job}`)
    await shows(() => card.innerText(), /同一根软管在另一工单里也被更换，只计一次/)
  }
  await shot(page, 'desk-twice-zh')
  assert.deepEqual(await findings(page), [])
  await card.locator('a[href^="#/cases/"]').click()
  await shows(() => page.locator('[data-about]').count(), 2)
  await shot(page, 'desk-twice-case-zh')
  await desk.go(`/job/${jobs[0]}`)
  await card.getByRole('textbox').fill('只换了一次，第二单作废')
  await card.getByRole('button').click()
  await page.locator('[data-twice-settled]').first().waitFor()
  await page.evaluate(() => localStorage.setItem('doorstep.language', 'en'))
  await page.reload()
  await page.locator('[data-twice-settled]').first().waitFor()
  await shot(page, 'desk-twice-settled-en')
  assert.deepEqual(desk.problems, [])
})
