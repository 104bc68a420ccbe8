// The job's page at the hall: what is known of a job, how it looked to the technician, and clashes settled there.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone } from './browser.js'
import { Desk } from './desk.js'
import { opened, place, shows } from './ground.js'
import { staff } from './hall.js'
import { WORK, goIn, goOut, photo, readMeter } from './visit.js'

const me = staff('技术员')

async function together(t, kind) {
  const hall = await opened(t)
  const job = await hall.job(kind, me.login, '30100005')
  const phone = await Phone.open(hall, place(t, 'profile'))
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(me)
  await phone.sent()
  const desk = await Desk.open(hall, staff('调度员'))
  t.after(() => desk.close().catch(() => undefined))
  await desk.go(`/job/${job}`)
  const sheet = desk.page.locator('.sheet')
  await sheet.waitFor()
  return { hall, job, phone, desk, sheet }
}

test('a visit appears on the page as it happens: facts, verdict, picture, signature, use of gas', async (t) => {
  const { job, phone, desk, sheet } = await together(t, 'sealing')
  await goIn(phone, job)
  await sheet.locator('.facts').filter({ hasText: /到达：定位误差 12 米/ }).waitFor()
  await WORK.sealing(phone)
  await photo(phone)
  await goOut(phone)
  await phone.sent()

  const visit = sheet.locator('.facts')
  for (const words of [/抄表：[\d.]+ m³ · /, /通气停气：已停气/, /穿好鞋套（A5） · 做到/, /照片：/, /签名/, /结束上门：完成/]) {
    await visit.filter({ hasText: words }).waitFor()
  }
  const pictures = sheet.locator('.photos img')
  await pictures.nth(1).waitFor()
  await pictures.first().scrollIntoViewIfNeeded()
  await desk.page.waitForFunction(() => [...document.querySelectorAll('.photos img')].every((it) => it.complete && it.naturalWidth > 0))
  await shows(async () => (await sheet.locator('.usage rect.fresh').count()) > 0, true, 'what was read now stands out in the chart')
  await sheet.getByText('准时').first().waitFor()
  const pdf = await desk.page.pdf()
  assert.equal(pdf.subarray(0, 5).toString(), '%PDF-')
  assert.deepEqual(desk.problems, [])
})

test('the history tells when it happened and how much later it came, and what the technician saw then', async (t) => {
  const { hall, job, phone, desk, sheet } = await together(t, 'meter_reading')
  await phone.context.setOffline(true)
  await goIn(phone, job)
  await hall.post(`/api/jobs/${job}/cancellations`, { reason: '用户来电取消' })
  await phone.context.setOffline(false)
  await phone.sent()

  const arrived = sheet.locator('.timeline li').filter({ hasText: '到达：' })
  await arrived.filter({ hasText: `${me.name} 的手机` }).waitFor()
  await sheet.locator('.timeline li').filter({ hasText: '取消：用户来电取消' }).filter({ hasText: '营业厅' }).waitFor()
  await arrived.getByRole('button', { name: '技术员当时看到的' }).click()
  await arrived.getByText('当时手机上还没有取消的消息').waitFor()
  await arrived.getByText('当时状态：已到门口').waitFor()
  assert.deepEqual(desk.problems, [])
})

test('s14 a clash is settled at the hall with a reason, and the phone hears of it', async (t) => {
  const { hall, job, phone, desk, sheet } = await together(t, 'meter_reading')
  await phone.context.setOffline(true)
  await goIn(phone, job)
  await readMeter(phone)
  await goOut(phone, false)
  await hall.post(`/api/jobs/${job}/cancellations`, { reason: '用户来电取消' })
  await phone.context.setOffline(false)
  await phone.sent()

  const card = sheet.locator('.clashes')
  await card.getByText('取消时已有人上门').waitFor()
  await card.getByLabel(new RegExp(`${me.name} · 结束上门：完成`)).check()
  await shows(() => card.getByRole('button', { name: '裁定' }).isDisabled(), true, 'a decision has a reason')
  await card.getByLabel('理由').fill('用户确认已抄表')
  await card.getByRole('button', { name: '裁定' }).click()
  await card.waitFor({ state: 'detached' })

  const { standing } = await hall.jobPage(job)
  assert.deepEqual([standing.status, standing.clashes], ['done', []])
  await phone.sent()
  await phone.page.locator('.clash').waitFor({ state: 'detached' })
  assert.deepEqual(desk.problems, [])
})

test('hall and technician write to each other on a job', async (t) => {
  const { job, phone, desk, sheet } = await together(t, 'repair')
  await sheet.getByLabel('给技术员留言').fill('带上备用软管')
  await sheet.getByRole('button', { name: '发送' }).click()
  await sheet.locator('li').filter({ hasText: '带上备用软管' }).first().waitFor()
  await phone.sent()
  await phone.job(job)
  await phone.page.getByText('带上备用软管').waitFor()
  await phone.page.locator('.messages textarea').fill('好的，已带')
  await phone.saves(() => phone.page.locator('.messages form button').click())
  await phone.sent()

  await sheet.locator('li').filter({ hasText: '好的，已带' }).first().waitFor()
  assert.deepEqual(desk.problems, [])
})
