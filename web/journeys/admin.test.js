// Administration as its people walk it: somebody new, a phone by its code, a lost one shut out, rules for tomorrow, a file
// with a bad row, what was kept apart; and the audit trail that shows all of it.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { findings } from './axe.js'
import { PIN, Phone } from './browser.js'
import { Desk } from './desk.js'
import { opened, place, shows, until } from './ground.js'
import { staff } from './hall.js'

const HEADER = '用户编号,户名,地址,联系电话'

async function atAdministration(t, who = staff('管理员'), part = 'people') {
  const hall = await opened(t)
  const desk = await Desk.open(hall, who)
  t.after(() => desk.close().catch(() => undefined))
  await desk.go(`/admin/${part}`)
  await desk.page.locator('.administration h1').waitFor()
  return { hall, desk, page: desk.page }
}

/** Signs somebody in; the dispatcher's own session goes on. */
const entered = async (hall, { login, password }) => {
  const headers = { 'content-type': 'application/json' }
  const reply = await fetch(`${hall.base}/api/session`, { method: 'POST', headers, body: JSON.stringify({ login, password }) })
  return (await reply.json()).token
}
const row = (page, login) => page.locator(`[data-person="${login}"]`)
const said = (page, words) => page.locator('.toast').getByText(words).waitFor()

test('a technician is created, enrols a phone with the code shown, and a lost phone is shut out', async (t) => {
  const { hall, desk, page } = await atAdministration(t)
  await page.getByRole('button', { name: '新增人员' }).click()
  const form = page.locator('dialog[open]')
  await form.getByLabel('登录名').fill('lu.ming')
  await form.getByLabel('姓名').fill('陆明')
  await form.getByRole('button', { name: '随机生成' }).click()
  const password = await form.getByLabel('初始密码').inputValue()
  assert.match(password, /^[a-z2-9]{4}(-[a-z2-9]{4}){3}$/)
  await form.getByRole('button', { name: '确定' }).click()
  await said(page, '已新增 陆明')
  await row(page, 'lu.ming').getByRole('button', { name: '登记手机' }).click()
  await page.getByText(/登记码 (10:00|9:\d\d) 后失效/).waitFor()
  const link = new URL(await page.locator('.qr').getAttribute('data-link'))
  const digits = (await page.locator('.code').innerText()).replaceAll(/\D/g, '')
  assert.equal(new URLSearchParams(link.hash.slice('#enrol?'.length)).get('code'), digits)

  const phone = await Phone.open(hall, place(t, 'profile'))
  t.after(() => phone.close().catch(() => undefined))
  await phone.visit(link.pathname + link.hash)
  const field = (use) => phone.page.locator(`input[autocomplete="${use}"]`)
  await field('current-password').fill(password)
  await field('new-password').first().fill(PIN)
  await field('new-password').last().fill(PIN)
  await phone.page.locator('form button.primary').click()
  await phone.listed()
  await page.locator('dialog[open]').getByText('陆明 的手机已登记').waitFor()
  await page.locator('dialog[open]').getByRole('button', { name: '关闭' }).click()

  await desk.go('/admin/devices')
  const mine = page.locator('tr', { hasText: '陆明' })
  await mine.getByText('使用中').waitFor()
  await mine.getByRole('button', { name: '停用手机' }).click()
  await page.locator('dialog[open]').getByText('没有未上传的记录').waitFor()
  await page.locator('dialog[open]').getByLabel(/丢失/).check()
  await page.locator('dialog[open]').getByRole('button', { name: '停用手机' }).click()
  await said(page, '手机已停用；未上传 0 条')
  await page.getByLabel('显示已停用的手机').check()
  await mine.getByText('已停用 · 丢失').waitFor()
  await phone.page.locator('.strip .now').click()
  await phone.page.getByText(/登录已过期|重新登记|新的登记码/).first().waitFor()

  assert.deepEqual(desk.problems, [])
})

test('what a manager may not do is refused with its reason, and a password reset ends a session', async (t) => {
  const { hall, desk, page } = await atAdministration(t, staff('经理'))
  await page.getByRole('button', { name: '新增人员' }).click()
  const form = page.locator('dialog[open]')
  await form.getByLabel('登录名').fill('lu.ming')
  await form.getByLabel('姓名').fill('陆明')
  await form.getByLabel('岗位').selectOption('admin')
  await form.getByRole('button', { name: '随机生成' }).click()
  await form.getByRole('button', { name: '确定' }).click()
  await said(page, '经理只能管理技术员、调度员和营业员')
  await form.getByRole('button', { name: '关闭' }).click()
  await shows(() => row(page, 'admin').getByRole('button').count(), 0, 'admins are for admins')
  const own = staff('经理').login
  await shows(() => row(page, own).getByRole('button', { name: '停用' }).count(), 0, 'nobody shuts themselves out')

  const other = staff('调度员', 1)
  const token = await entered(hall, other)
  await row(page, other.login).getByRole('button', { name: '重设密码' }).click()
  await page.locator('dialog[open]').getByRole('button', { name: '随机生成' }).click()
  const password = await page.locator('dialog[open]').getByLabel('新密码').inputValue()
  await page.locator('dialog[open]').getByRole('button', { name: '确定' }).click()
  await said(page, '密码已重设')
  const reply = await fetch(`${hall.base}/api/me`, { headers: { authorization: `Bearer ${token}` } })
  assert.equal(reply.status, 401)
  assert.ok(await entered(hall, { login: other.login, password }))

  await row(page, other.login).getByRole('button', { name: '停用' }).click()
  await page.locator('dialog[open]').getByRole('button', { name: '停用' }).click()
  await said(page, '已停用')
  await row(page, other.login).waitFor({ state: 'detached' })
  await page.getByLabel('显示已停用').check()
  await row(page, other.login).getByRole('button', { name: '恢复' }).click()
  await said(page, '已恢复')
  await row(page, other.login).getByText('正常').waitFor()
  assert.deepEqual(desk.problems.filter((it) => !/403/.test(it)), [])
})

test('what a technician is able to do, and where, is recorded and entered', async (t) => {
  const { hall, desk, page } = await atAdministration(t, staff('经理'))
  const who = staff('技术员')
  const dialog = page.locator('dialog[open]')
  const path = `/api/users/${(await hall.user(who.login)).id}/qualification`
  const before = await hall.get(path)
  await row(page, who.login).getByRole('button', { name: '技能与片区' }).click()
  await dialog.getByLabel('已登记技能').check()
  const known = dialog.locator('fieldset input:checked').first()
  const skill = await known.inputValue()
  await known.uncheck()
  await dialog.getByLabel('常去片区').fill('中山路，赭山')
  assert.deepEqual(await findings(page), [])
  await dialog.getByRole('button', { name: '确定' }).click()
  await said(page, '技能与片区已保存')
  const found = await hall.get(path)
  assert.deepEqual(found.skills, before.skills.filter((it) => it !== skill))
  assert.deepEqual(found.area.sort(), ['中山路', '赭山'].sort())
  await row(page, who.login).getByRole('button', { name: '技能与片区' }).click()
  await shows(() => dialog.locator(`fieldset input[value="${skill}"]`).isChecked(), false)
  assert.deepEqual(desk.problems, [])
})

test('an admin adds a hall, and its first manager sees it and nothing of others', async (t) => {
  const { hall, desk, page } = await atAdministration(t, staff('管理员'), 'halls')
  await page.getByText('本厅').waitFor()
  await page.getByRole('button', { name: '新增营业厅' }).click()
  const form = page.locator('dialog[open]')
  await form.getByLabel('名称').fill('弋江营业厅')
  await form.getByLabel('登录名').fill('song.yi')
  await form.getByLabel('姓名').fill('宋怡')
  await form.getByRole('button', { name: '随机生成' }).click()
  const password = await form.getByLabel('初始密码').inputValue()
  await form.getByRole('button', { name: '确定' }).click()
  await said(page, '已新增 弋江营业厅')
  await page.getByRole('cell', { name: '弋江营业厅' }).waitFor()

  const other = await Desk.open(hall, { login: 'song.yi', password })
  t.after(() => other.close().catch(() => undefined))
  await other.page.locator('header .hall').getByText('弋江营业厅').waitFor()
  await other.go('/admin/people')
  await other.page.locator('[data-person="song.yi"]').waitFor()
  await shows(() => other.page.locator('[data-person]').count(), 1)
  await other.go('/admin/halls')
  await other.page.getByRole('cell', { name: '弋江营业厅' }).waitFor()
  await shows(() => other.page.locator('tbody tr').count(), 1)
  assert.deepEqual([...desk.problems, ...other.problems], [])
})

test('rules for tomorrow are uploaded, compared, tried on paper and taken back; a mistake is told by its line', async (t) => {
  const { hall, desk, page } = await atAdministration(t, staff('管理员'), 'packs')
  const path = place(t, 'pack.toml')
  const headers = { authorization: `Bearer ${await entered(hall, staff('管理员'))}` }
  const text = await (await fetch(`${hall.base}/api/packs/city-gas-2026-11-01/text`, { headers })).text()
  const tomorrow = new Date(Date.now() + 32 * 3_600_000).toISOString().slice(0, 10)
  const named = text.replace('id = "city-gas-2026-11-01"', 'id = "city-gas-next"').replace('valid_from = "2026-11-01"', `valid_from = "${tomorrow}"`)
  writeFileSync(path, named.replace('detour = 1.4', 'detour = 0.4'))
  await page.locator('input[type=file]').setInputFiles(path)
  const line = named.slice(0, named.indexOf('detour = 1.4')).split('\n').length
  await page.getByRole('alert').getByText(`规则包第 ${line} 行有误`).waitFor()

  writeFileSync(path, named.replace('late_grace_minutes = 0', 'late_grace_minutes = 10').replace('id = "tool_mat"', 'id = "clean_mat"').replace('zh = "工具放在垫布上"', 'zh = "工具放在干净垫布上"'))
  await page.locator('input[type=file]').setInputFiles(path)
  await said(page, `city-gas-next 已收下，${tomorrow} 起生效`)
  const differences = page.locator('table.differences')
  const grace = differences.locator('tr', { hasText: 'late_grace_minutes' })
  await shows(async () => (await grace.locator('td').allInnerTexts()).slice(1, 4), ['～ 修改', '0', '10'])
  await differences.locator('tr', { hasText: '干净垫布' }).getByText('新增').waitFor()
  await differences.locator('tr', { hasText: '工具放在垫布上' }).first().getByText('删除').waitFor()
  assert.deepEqual(await findings(page), [])

  const next = page.locator('[data-pack="city-gas-next"]')
  await next.getByText('待生效').waitFor()
  await next.getByRole('button', { name: '会改变什么' }).click()
  await page.getByRole('button', { name: '试算' }).click()
  await page.getByText(/重判了 \d+ 单/).waitFor()
  await next.getByRole('button', { name: '撤回' }).click()
  await page.locator('dialog[open]').getByRole('button', { name: '撤回' }).click()
  await said(page, 'city-gas-next 已撤回')
  await next.getByText('已撤回').waitFor()
  const job = await hall.job('repair', staff('技术员').login, '30100005')
  assert.equal((await hall.jobPage(job)).job.pack, 'city-gas-2026-11-01')
  assert.deepEqual(desk.problems.filter((it) => !/422/.test(it)), [])
})

test('a file with a bad row is looked at first, and only its good rows are loaded', async (t) => {
  const { desk, page } = await atAdministration(t, staff('经理'), 'imports')
  const path = place(t, '新用户.csv')
  writeFileSync(path, [HEADER, '30109001,秦若兰,听江里9幢101室,05530209001', '30109002,贺明远,听江里9幢102室,05530209002', ',无户号,听江里9幢103室,05530209003'].join('\r\n'))
  await page.locator('input[type=file]').setInputFiles(path)
  const households = page.locator('[data-thing="household"] td')
  await households.first().waitFor()
  await shows(() => households.allInnerTexts(), ['用户', '2', '0', '0'])
  const problem = page.locator('table.problems tbody tr')
  await shows(() => problem.count(), 1)
  await shows(() => problem.innerText(), /4/)
  assert.deepEqual(await findings(page), [])
  await page.getByRole('button', { name: '导入', exact: true }).click()
  await said(page, '有误的行未改正')
  await page.getByLabel('只导入无误的行').check()
  await page.getByRole('button', { name: '导入', exact: true }).click()
  await said(page, '已导入')
  await page.getByText('导入结果').waitFor()
  const found = await desk.page.evaluate(async () => (await (await fetch('/api/households?text=30109002')).json()).households[0].holder)
  assert.equal(found, '贺明远')
  assert.deepEqual(desk.problems.filter((it) => !/422/.test(it)), [])
})

test('what a phone handed in after it was shut out waits apart, and is released', async (t) => {
  const { hall, desk, page } = await atAdministration(t, staff('经理'), 'quarantine')
  await page.getByText('隔离区是空的').waitFor()
  const me = staff('技术员')
  const job = await hall.job('meter_reading', me.login, '30100005')
  const phone = await Phone.open(hall, place(t, 'profile'))
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(me)
  await phone.sent()
  await phone.context.setOffline(true)
  await phone.job(job)
  await phone.tap('出发')
  const { devices } = await hall.get(`/api/devices?user=${(await hall.user(me.login)).id}`)
  await hall.post(`/api/devices/${devices[0].id}/revoke`, { reason: 'retired' })
  await phone.context.setOffline(false)
  await phone.page.locator('.strip .now').click()
  const held = async () => {
    await desk.go('/admin/people')
    await desk.go('/admin/quarantine')
    return page.getByText('手机已停用').first().waitFor({ timeout: 2_000 }).then(() => true, () => false)
  }
  await until(held, Boolean, 'what the lost phone sent is held')
  await page.getByRole('button', { name: '放行' }).first().click()
  await said(page, '已放行')
  assert.ok((await hall.facts(job)).some((fact) => fact.type === 'set_out'))
  assert.deepEqual(desk.problems, [])
})

test('check 59 the audit trail shows who did and read what, filters, and says that the chain holds', async (t) => {
  const { hall, desk, page } = await atAdministration(t, staff('管理员'), 'audit')
  const job = await hall.job('repair', staff('技术员').login, '30100005')
  await desk.go(`/job/${job}`)
  await page.locator('.timeline li').first().waitFor()
  const wrong = await fetch(`${hall.base}/api/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ login: staff('调度员').login, password: 'wrong but long enough' }) })
  assert.equal(wrong.status, 401)
  await hall.code(staff('技术员').login)
  const what = (key) => page.locator(`tr[data-what="${key}"]`)
  const counted = async () => {
    await desk.go('/admin/people')
    await desk.go('/admin/audit')
    await page.locator('tr[data-what]').first().waitFor()
    return Promise.all(['signed_in', 'sign_in_failed', 'job_read', 'code_made'].map((key) => what(key).count()))
  }
  await until(counted, (counts) => counts.every(Boolean), 'each of the four is in the trail')
  await shows(() => what('job_read').first().innerText(), /系统管理员.*柜台.*查看工单.*维修/s)
  await page.getByText(/日志链完整：第 1 至 \d+ 条/).waitFor()
  await page.getByLabel('做了什么').selectOption('code_made')
  await what('signed_in').first().waitFor({ state: 'detached' })
  await shows(() => what('code_made').count(), 1)
  const leaving = page.waitForEvent('download')
  await page.getByRole('link', { name: '导出 XLSX' }).click()
  const file = readFileSync(await (await leaving).path())
  assert.equal(file.subarray(0, 2).toString(), 'PK')
  assert.deepEqual(desk.problems, [])
})

for (const [language, theme, width, height] of [['zh', 'light', 1440, 900], ['en', 'dark', 1920, 1080]]) {
  test(`axe finds nothing on any part of administration: ${language}-${theme}-${width}`, async (t) => {
    const hall = await opened(t)
    const kept = { language, look: JSON.stringify({ theme, large: false }) }
    const storageState = { cookies: [], origins: [{ origin: hall.base, localStorage: Object.entries(kept).map(([key, value]) => ({ name: `doorstep.${key}`, value })) }] }
    const desk = await Desk.open(hall, staff('管理员'), { viewport: { width, height }, storageState })
    t.after(() => desk.close().catch(() => undefined))
    const { page } = desk
    const found = []
    const look_at = async (part) => {
      await page.screenshot({ path: place(t, `${part}.png`) })
      found.push(...(await findings(page)).map((finding) => `${part}: ${finding}`))
    }
    for (const part of ['people', 'devices', 'packs', 'imports', 'channels', 'quarantine', 'audit', 'halls']) {
      await desk.go(`/admin/${part}`)
      await page.locator('.administration h1').waitFor()
      await page.waitForLoadState('networkidle').catch(() => undefined)
      await look_at(part)
    }
    await desk.go('/admin/people')
    await page.locator('[data-person] button').first().click()
    await page.locator('dialog[open]').waitFor()
    await look_at('dialog')
    await page.keyboard.press('Escape')
    await row(page, staff('技术员').login).getByRole('button').first().click()
    await page.locator('.qr').waitFor()
    await look_at('enrol')

    assert.deepEqual(found, [])
    assert.deepEqual(desk.problems, [])
  })
}
