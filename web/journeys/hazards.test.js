// A hazard from its finding to the recheck that closes it, at the door and at the desk (B7).

import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findings } from './axe.js'
import { PICTURE, Phone } from './browser.js'
import { Desk } from './desk.js'
import { opened, place, shows } from './ground.js'
import { ACCOUNTS, staff } from './hall.js'
import { goIn, readMeter } from './visit.js'

const me = staff('技术员')
const dora = staff('调度员')

async function shot(page, name) {
  const folder = process.env.DOORSTEP_SHOTS
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}

test('b7 a severe hazard is shut off, refused to be signed for, followed at the desk and closed by a recheck with a picture', async (t) => {
  const hall = await opened(t)
  const job = await hall.job('safety_inspection', me.login, ACCOUNTS[0])
  const phone = await Phone.open(hall, place(t, 'profile'))
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(me)
  await phone.sent()

  await goIn(phone, job)
  const work = phone.page.locator('.work')
  await work.locator('select').first().selectOption('leak')
  await phone.page.getByLabel('位置和情况').fill('灶前接头')
  await phone.tap('保存')
  await phone.tap('已关阀停气')
  await phone.page.getByRole('button', { name: '用户拒签' }).click()
  await phone.page.getByLabel('用户怎么说，谁在场').fill('户主不签，邻居在场')
  await phone.tap('保存', phone.page.locator('.hazard form'))
  await phone.page.getByText('用户拒签').first().waitFor()
  await shot(phone.page, 'phone-hazard-zh')
  assert.deepEqual(await findings(phone.page), [])
  await phone.sent()

  const desk = await Desk.open(hall, dora)
  t.after(() => desk.close())
  await desk.go('/doors')
  const line = desk.page.locator('[data-hazard]', { hasText: '灶前接头' })
  await shows(() => line.innerText(), /30 分钟内电话报告调度中心/)
  await shows(() => line.innerText(), /拒签/)
  await shot(desk.page, 'desk-hazards-zh')
  await line.getByRole('button', { name: '登记已办' }).click()
  await desk.page.getByLabel('结果和原因').fill('已报告，调度已知')
  await desk.page.locator('dialog').getByRole('button', { name: '确定' }).click()
  await shows(() => line.innerText(), /第 3 天电话回访/)
  assert.deepEqual(await findings(desk.page), [])

  const recheck = await hall.job('hazard_recheck', me.login, ACCOUNTS[0])
  await phone.sent()
  await goIn(phone, recheck)
  const known = phone.page.locator('[data-item=leak]')
  await shows(() => known.getByRole('button', { name: '已整改' }).isDisabled(), true)
  await phone.saves(() => known.locator('input[type=file]').setInputFiles(PICTURE))
  await shot(phone.page, 'phone-recheck-zh')
  await phone.tap('已整改', known)
  assert.deepEqual(await findings(phone.page), [])
  await phone.sent()

  await shows(() => line.count(), 0)
  await desk.page.getByRole('button', { name: '因隐患停气' }).click()
  const stopped = desk.page.locator('[data-stopped]')
  await shows(() => stopped.innerText(), /计时中 · .*前恢复供气/)
  await shot(desk.page, 'desk-stopped-zh')
  const home = await stopped.getAttribute('data-stopped')
  await desk.go(`/households/${home}`)
  await shows(() => desk.page.locator('.supply').innerText(), /前恢复供气/)
  await desk.go(`/job/${recheck}`)
  await shows(() => desk.page.locator('.supply').innerText(), /前恢复供气/)
  await shot(desk.page, 'desk-job-supply-zh')
  await desk.go('/figures/promises')
  await shows(() => desk.page.locator(`[data-open-supply="${home}"]`).innerText(), /B7/)
  await shot(desk.page, 'desk-promises-zh')

  await desk.page.evaluate(() => localStorage.setItem('doorstep.language', 'en'))
  await desk.page.reload()
  await desk.go('/doors')
  await desk.page.getByRole('button', { name: 'Supply stopped' }).click()
  await shows(() => stopped.innerText(), /Running · to be restored by/)
  await shot(desk.page, 'desk-stopped-en')
  await desk.page.evaluate(() => localStorage.setItem('doorstep.language', 'zh'))
  await desk.page.reload()
  const unsealing = await hall.job('unsealing', me.login, ACCOUNTS[0])
  await desk.go('/doors')
  await desk.page.getByRole('button', { name: '因隐患停气' }).click()
  await shows(() => stopped.innerText(), new RegExp(me.name))
  await phone.sent()
  await goIn(phone, unsealing)
  await readMeter(phone)
  await phone.tap('已通气')
  await phone.sent()
  await shows(() => stopped.count(), 0)
  await desk.page.getByRole('button', { name: '未遇用户' }).click()
  await desk.page.locator('.doors, .nothing').first().waitFor()
  await shot(desk.page, 'desk-unreached-zh')
  await desk.page.evaluate(() => localStorage.setItem('doorstep.language', 'en'))
  await desk.page.reload()
  await desk.page.locator('.tabs').first().waitFor()
  await shot(desk.page, 'desk-hazards-en')
  assert.deepEqual({ desk: desk.problems, phone: phone.problems }, { desk: [], phone: [] })
})
