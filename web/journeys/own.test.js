// The password again before an act of weight, and one's own sign-ins, as who sits there meets them.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { findings } from './axe.js'
import { Desk } from './desk.js'
import { opened, place, until } from './ground.js'
import { staff } from './hall.js'

const MINUTE_MS = 60_000

/** A desk in a hall whose clock the test moves. */
async function atDesk(t, who) {
  const hall = await opened(t, ['--clock', 'manual'])
  let now = Date.now()
  const pass = (minutes) => hall.send('POST', '/api/clock', { now_ms: (now += minutes * MINUTE_MS) })
  await pass(0)
  const desk = await Desk.open(hall, who)
  t.after(() => desk.close().catch(() => undefined))
  return { hall, desk, page: desk.page, pass }
}

test('check_16 the console asks for the password again and goes on with what was to be done', async (t) => {
  const who = staff('管理员')
  const { desk, page, pass } = await atDesk(t, who)
  const again = page.getByRole('dialog', { name: '请再次输入密码' })
  await desk.go('/admin/audit')
  const link = page.getByRole('link', { name: '导出' })
  await link.waitFor()
  await pass(6)

  // A file: the browser fetches it once the password is right, and not before.
  let files = 0
  page.on('download', () => (files += 1))
  await link.click()
  await again.getByLabel('密码').fill('not this one')
  await again.getByRole('button', { name: '继续' }).click()
  await again.getByText('密码不对').waitFor()
  await page.screenshot({ path: place(t, 'again.png') })
  assert.deepEqual(await findings(page), [])
  assert.equal(files, 0)
  await again.getByLabel('密码').fill(who.password)
  const arrives = page.waitForEvent('download')
  await again.getByRole('button', { name: '继续' }).click()
  const file = await arrives
  assert.match(file.suggestedFilename(), /^audit-.*\.xlsx$/)
  assert.equal(readFileSync(await file.path()).subarray(0, 2).toString(), 'PK')
  await again.waitFor({ state: 'detached' })

  // An act: refused without the password, done with it; for some minutes nobody is asked.
  await desk.go('/admin/people')
  await pass(6)
  await page.locator(`[data-person="${staff('调度员').login}"]`).getByRole('button', { name: '停用' }).click()
  const sure = page.getByRole('dialog', { name: '停用' }).locator('button.primary')
  await sure.click()
  await again.getByRole('button', { name: '关闭' }).click()
  await page.locator('.toast').getByText('未输入密码，没有执行').waitFor()
  await sure.click()
  await again.getByLabel('密码').fill(who.password)
  await again.getByRole('button', { name: '继续' }).click()
  await page.locator('.toast').getByText(`${staff('调度员').name} 已停用`).waitFor()
  assert.equal(await again.count(), 0)
  assert.deepEqual(desk.problems, [])
})

test('check_15 one sees where one is signed in, ends a sign-in, and changes the password', async (t) => {
  const who = staff('经理')
  const { hall, desk, page } = await atDesk(t, who)
  await hall.signIn(who)
  const other = hall.token
  await hall.signIn(who)
  await page.locator('header .who').click()
  const rows = page.locator('[data-session]')
  await until(async () => (await rows.count()) === 3)
  await page.screenshot({ path: place(t, 'own.png') })
  assert.deepEqual(await findings(page), [])
  assert.equal(await rows.filter({ hasText: '就是这里' }).count(), 1)
  assert.equal(await rows.filter({ hasText: 'Chrome（Linux）' }).count(), 1)

  await rows.filter({ hasText: 'node' }).first().getByRole('button', { name: '结束' }).click()
  await until(async () => (await rows.count()) === 2)
  await page.getByRole('button', { name: '结束其余全部（1）' }).click()
  await until(async () => (await rows.count()) === 1)
  for (const token of [other, hall.token]) {
    const reply = await fetch(`${hall.base}/api/me`, { headers: { authorization: `Bearer ${token}` } })
    assert.equal(reply.status, 401)
  }

  await page.getByLabel('现在的密码').fill('not this one')
  await page.getByLabel('新密码', { exact: true }).fill('a lantern under the stairs')
  await page.getByLabel('再输一遍新密码').fill('a lantern under the stairs')
  await page.getByRole('button', { name: '更改', exact: true }).click()
  await page.locator('.toast').getByText('登录名或密码不对').waitFor()
  await page.getByLabel('现在的密码').fill(who.password)
  await page.getByRole('button', { name: '更改', exact: true }).click()
  await page.locator('.toast').getByText('密码已更改').waitFor()
  await hall.signIn({ login: who.login, password: 'a lantern under the stairs' })
  assert.deepEqual(desk.problems, [])
})
