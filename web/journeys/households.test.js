// A household's page: found, read, corrected; groups with their papers, consents taken back, hazards and hoses as visits leave them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone } from './browser.js'
import { Desk } from './desk.js'
import { opened, place, shows } from './ground.js'
import { staff } from './hall.js'
import { WORK, goIn } from './visit.js'

const ACCOUNT = '30100005'
const hong = staff('营业员')
const dora = staff('调度员')

async function at(t, hall, person = hong) {
  const desk = await Desk.open(hall, person)
  t.after(() => desk.close().catch(() => undefined))
  await desk.go('/households')
  await desk.page.getByLabel('查用户').fill(ACCOUNT)
  await desk.page.getByRole('link', { name: ACCOUNT }).click()
  await desk.page.locator('.home h1').waitFor()
  return desk
}

const part = (page, name) => page.getByRole('region', { name })

/** What a technician is told with a job taken on now. */
async function briefing(hall) {
  const { id } = await hall.post('/api/jobs', { kind: 'repair', account: ACCOUNT, request: '灶火不旺' })
  return (await hall.jobPage(id)).job.briefing.household
}

test('b14 a paper that was seen makes a group hold with its evidence, and a free hose with it', async (t) => {
  const hall = await opened(t)
  const { page, problems } = await at(t, hall)
  const groups = part(page, '特殊群体')
  await groups.getByRole('button', { name: '添加群体…' }).click()
  await groups.getByRole('combobox').selectOption('martyr_family')
  await groups.getByLabel('看到的证件和编号').fill('烈士证明书 皖烈字第 0117 号')
  await groups.getByLabel('有效期至').fill('2031-12-31')
  await groups.getByRole('button', { name: '记下' }).click()
  const row = groups.locator('[data-group="martyr_family"]')
  await row.getByText('已查验证件').waitFor()
  await row.getByText('有效至 2031-12-31').waitFor()
  await row.getByText(new RegExp(`${hong.name} 查验`)).waitFor()
  await part(page, '软管').getByText(/今年可免费换管一次|今年的免费换管已于/).waitFor()
  assert.ok((await briefing(hall)).groups.includes('martyr_family'))

  await row.getByRole('button', { name: '不再属于' }).click()
  await row.getByLabel('原因').fill('已迁出本户')
  await row.getByRole('button', { name: '记下' }).click()
  await row.getByText('已撤销').first().waitFor()
  assert.ok(!(await briefing(hall)).groups.includes('martyr_family'))
  await part(page, '档案改动').getByText('不再属于 烈属：已迁出本户').waitFor()
  assert.deepEqual(problems, [])
})

test('check 65: a consent taken back hides groups here, in intake, and from the next technician', async (t) => {
  const hall = await opened(t)
  const home = (await hall.get(`/api/households?text=${ACCOUNT}`)).households[0]
  await hall.post(`/api/households/${home.id}/entries`, { what: 'group_shown', group: 'disabled', text: '残疾证 3402' })
  const mine = await at(t, hall)
  const { page, problems } = mine
  await page.locator('.marks').getByText('残疾人').waitFor()
  const consent = page.locator('[data-consent="groups"]')
  await consent.getByText('尚未征询').waitFor()
  await consent.getByRole('button', { name: '登记同意' }).click()
  await consent.getByLabel('告知书版本').fill('2026 年第 1 版')
  await consent.getByRole('button', { name: '记下' }).click()
  await consent.getByText('告知书 2026 年第 1 版').waitFor()
  await consent.getByRole('button', { name: '撤回同意' }).click()
  await consent.getByText('撤回后立即不再显示特殊群体').waitFor()
  await consent.getByRole('button', { name: '确认撤回' }).click()
  await part(page, '特殊群体').getByText('用户已撤回同意').waitFor()
  await page.locator('.marks').waitFor({ state: 'detached' })
  await shows(async () => (await page.locator('main').innerText()).includes('残疾'), false)
  assert.deepEqual((await briefing(hall)).groups, [])
  await mine.go(`/intake/home:${ACCOUNT}`)
  await page.getByRole('region', { name: '哪一户' }).waitFor()
  await shows(async () => (await page.locator('main').innerText()).includes('残疾'), false)
  assert.deepEqual(problems, [])
})

test('a corrected telephone number and way in reach the next job, and the page says who corrected them', async (t) => {
  const hall = await opened(t)
  const { page, problems } = await at(t, hall)
  const contact = part(page, '联系与进门')
  await contact.getByRole('button', { name: '更正' }).click()
  await contact.getByLabel('电话').fill('138 0013 8000')
  await contact.getByLabel('进门须知').fill('门禁 2580，按完等两秒')
  await contact.getByRole('button', { name: '记下' }).click()
  await contact.getByText('门禁 2580').waitFor()
  const told = await briefing(hall)
  assert.deepEqual([told.phone, told.access], ['13800138000', '门禁 2580，按完等两秒'])
  await part(page, '档案改动').locator('li').filter({ hasText: '改为 138 0013 8000' }).filter({ hasText: hong.name }).waitFor()
  await part(page, '工单').getByRole('link', { name: /维修/ }).first().waitFor()
  assert.deepEqual(problems, [])
})

test('a hazard found at the door stands on the page with its deadline, and one of its level is not closed at the desk', async (t) => {
  const hall = await opened(t)
  const me = staff('技术员')
  const job = await hall.job('safety_inspection', me.login, ACCOUNT)
  const phone = await Phone.open(hall, place(t, 'profile'))
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(me)
  await phone.sent()
  const { page, problems } = await at(t, hall, dora)
  await part(page, '隐患').getByText('没有发现隐患').waitFor()
  await goIn(phone, job)
  await WORK.safety_inspection(phone)
  await phone.sent()

  const hazard = page.locator('[data-hazard]').filter({ hasText: '软管超期或老化' })
  await hazard.getByText(/整改期限 20\d\d-/).waitFor()
  await hazard.getByText('已交整改通知书').waitFor()
  await part(page, '上门记录').getByText(me.name).first().waitFor()
  // It takes somebody at the door with a picture.
  await shows(() => hazard.getByRole('button', { name: '已消除…' }).count(), 0)
  await page.locator('.usage').first().waitFor()
  assert.deepEqual([problems, phone.problems], [[], []])
})
