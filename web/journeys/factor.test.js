// A second factor at the desk: set up, asked for at the door, lost, and asked of who has to have one.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { findings } from './axe.js'
import { Desk } from './desk.js'
import { opened, place, until } from './ground.js'
import { staff } from './hall.js'

/** The six digits that an authenticator shows for a secret (RFC 6238). */
function shows(secret, nowMs) {
  const bits = [...secret].map((it) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(it).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map((it) => parseInt(it, 2)))
  const step = Buffer.alloc(8)
  step.writeBigUInt64BE(BigInt(Math.floor(nowMs / 30_000)))
  const hash = createHmac('sha1', key).update(step).digest()
  const number = hash.readUInt32BE(hash.at(-1) & 15) & 0x7fffffff
  return String(number % 1_000_000).padStart(6, '0')
}

/** Scans what stands there and confirms it; gives the secret. */
async function setUp(page, now) {
  await page.getByRole('button', { name: '启用第二重验证' }).click()
  const secret = (await page.locator('.factor strong.mono').innerText()).replaceAll(' ', '')
  assert.match(await page.locator('.factor .qr').getAttribute('data-link'), new RegExp(`^otpauth://totp/Doorstep:.*secret=${secret}`))
  await page.getByLabel('六位数字').fill(shows(secret, now()))
  await page.getByRole('button', { name: '确认启用' }).click()
  await page.locator('.factor .codes li').first().waitFor()
  return secret
}

async function enter(page, person, code) {
  await page.locator('input[autocomplete="username"]').fill(person.login)
  await page.locator('input[type="password"]').fill(person.password)
  await page.locator('button.primary').click()
  if (!code) return
  await page.locator('input[autocomplete="one-time-code"]').fill(code)
  await page.locator('button.primary').click()
}

test('check_6 signing in asks for the six digits of the phone, until who lost it is let in by an admin', async (t) => {
  const hall = await opened(t, ['--clock', 'manual'])
  let time = Date.now()
  const now = () => time
  const pass = (minutes) => hall.send('POST', '/api/clock', { now_ms: (time += minutes * 60_000) })
  await pass(0)
  const who = staff('调度员')
  const desk = await Desk.open(hall, who)
  t.after(() => desk.close().catch(() => undefined))
  const { page } = desk
  await page.locator('header .who').click()
  await page.getByRole('button', { name: '启用第二重验证' }).click()
  await page.getByLabel('六位数字').fill('000000')
  await page.getByRole('button', { name: '确认启用' }).click()
  await page.getByText('不是现在显示的数字').waitFor()
  await page.screenshot({ path: place(t, 'scan.png') })
  assert.deepEqual(await findings(page), [])
  const secret = (await page.locator('.factor strong.mono').innerText()).replaceAll(' ', '')
  await page.getByLabel('六位数字').fill(shows(secret, now()))
  await page.getByRole('button', { name: '确认启用' }).click()
  const codes = page.locator('.factor .codes li')
  await until(async () => (await codes.count()) === 8)
  const paper = await codes.first().innerText()
  await page.screenshot({ path: place(t, 'codes.png') })
  assert.deepEqual(await findings(page), [])
  assert.ok(await page.getByRole('button', { name: '继续' }).isDisabled(), 'not before the codes are kept')
  await page.getByLabel('我已保存备用码').check()
  await page.getByRole('button', { name: '继续' }).click()
  await page.getByText('还剩 8 个备用码').waitFor()

  // At the door: the digits that were used do not do, the next ones do, and so does a code from paper.
  await page.getByRole('button', { name: '退出' }).click()
  await enter(page, who, shows(secret, now()))
  await page.getByText('验证码不对或已用过').waitFor()
  await page.screenshot({ path: place(t, 'door.png') })
  assert.deepEqual(await findings(page), [])
  await pass(1)
  await page.locator('input[autocomplete="one-time-code"]').fill(shows(secret, now()))
  await page.locator('button.primary').click()
  await page.locator('header.top').waitFor()
  await page.getByRole('button', { name: '退出' }).click()
  await enter(page, who, paper)
  await page.locator('header.top').waitFor()

  const admin = await Desk.open(hall, staff('管理员'))
  t.after(() => admin.close().catch(() => undefined))
  await admin.go('/admin/people')
  await admin.page.locator(`[data-person="${who.login}"]`).getByRole('button', { name: '解除第二重验证' }).click()
  await admin.page.getByRole('dialog').locator('button.primary').click()
  await admin.page.locator('.toast').getByText('的第二重验证已解除').waitFor()
  await page.locator('main.sign-in').waitFor()
  await enter(page, who)
  await page.locator('header.top').waitFor()
  assert.deepEqual(desk.problems, [])
})

test('check_6 who has to have a second factor sets it up before anything else', async (t) => {
  const config = place(t, 'doorstep.toml')
  const hall = await opened(t)
  await hall.stop()
  writeFileSync(config, 'second_factor_roles = ["manager"]\n')
  hall.more = ['--config', config]
  await hall.start()
  const who = staff('经理')
  const desk = new Desk()
  t.after(() => desk.close().catch(() => undefined))
  const { page } = await desk.start(hall)
  await enter(page, who)
  await page.getByRole('heading', { name: '请先启用第二重验证' }).waitFor()
  await page.screenshot({ path: place(t, 'first.png') })
  assert.deepEqual(await findings(page), [])

  await setUp(page, Date.now)
  await page.getByLabel('我已保存备用码').check()
  await page.getByRole('button', { name: '继续' }).click()
  await page.locator('header.top').waitFor()
  await page.locator('header .who').click()
  await page.getByText('您的岗位必须启用').waitFor()
  assert.deepEqual(desk.problems, [])
})
