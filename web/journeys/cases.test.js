// Cases: taken on with an owner, handed over only to who accepts, told in time or seen to be late, and asked at doors.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone } from './browser.js'
import { Desk } from './desk.js'
import { opened, place, shows } from './ground.js'
import { staff } from './hall.js'
import { goIn } from './visit.js'

const ACCOUNT = '30100005'
const HOUR_MS = 3_600_000
const [dora, hong, manager] = [staff('调度员'), staff('营业员'), staff('经理')]

async function desk(t, hall, person) {
  const it = await Desk.open(hall, person)
  t.after(() => it.close().catch(() => undefined))
  return it
}

const made = async (page, what) => {
  await page.waitForURL(new RegExp(`#/${what}/[0-9a-f]`))
  return page.url().split('/').pop()
}

/** A form of the case page, opened, filled and sent. */
async function act(page, name, fill, send) {
  await page.getByRole('button', { name, exact: true }).click()
  const form = page.getByRole('form', { name })
  await fill(form)
  await form.getByRole('button', { name: send }).click()
  await form.waitFor({ state: 'detached' })
}

test('b4 a call becomes a case of who takes it, and is handed over only when the other person accepts', async (t) => {
  const hall = await opened(t)
  const mine = await desk(t, hall, hong)
  const { page } = mine
  await mine.go('/intake')
  await page.getByLabel('哪一户').fill(ACCOUNT)
  await page.locator('.hits button').first().click()
  await page.getByLabel('投诉', { exact: false }).check()
  await page.getByText(/承诺 B5 现在开始计时/).waitFor()
  await shows(() => page.getByRole('button', { name: '受理' }).isDisabled(), true, 'a case has words')
  await page.getByLabel('用户原话').fill('上次上门没有穿鞋套')
  await page.getByRole('button', { name: '受理' }).click()
  const id = await made(page, 'cases')
  await page.getByText('受理，成为首问负责人').waitFor()
  await page.getByText(/承诺 B5：还剩 7\d 小时|承诺 B5：还剩 [23] 天/).first().waitFor()
  await act(page, '移交给…', async (form) => {
    await form.getByLabel('移交给谁').selectOption({ label: dora.name })
    await form.getByLabel('为什么移交').fill('她负责这一片')
  }, '发出移交')
  await page.locator('.facts-of').getByText(`等 ${dora.name} 接收`).waitFor()
  await shows(() => page.locator('.facts-of').innerText(), new RegExp(hong.name), 'an offer changes no owner')

  const other = await desk(t, hall, dora)
  await other.go('/cases')
  await other.page.getByRole('button', { name: /等我接收/ }).click()
  await other.page.locator(`[data-case="${id}"]`).click()
  await other.page.getByText('接收后由您负责到底').waitFor()
  await other.page.getByRole('button', { name: '接收', exact: true }).click()
  await other.page.getByText('接收，成为负责人').waitFor()
  await page.locator('.facts-of strong').filter({ hasText: dora.name }).waitFor({ timeout: 3_000 })
  await shows(() => page.getByRole('button', { name: '作出结论' }).count(), 0, 'whoever handed it over decides no more')
  assert.deepEqual([mine.problems, other.problems], [[], []])
})

test('b5 a complaint that nobody answered in three days is seen to be overdue, and is closed only after its caller was told', async (t) => {
  const hall = await opened(t, ['--clock', 'manual'])
  const now = Date.now()
  await hall.post('/api/clock', { now_ms: now - 75 * HOUR_MS })
  await hall.signIn(dora)
  const words = '来电投诉：约好上午，下午才来'
  await hall.post('/api/cases', { kind: 'complaint', channel: 'phone', account: ACCOUNT, words })
  await hall.post('/api/clock', { now_ms: now })
  const mine = await desk(t, hall, dora)
  const { page, problems } = mine

  await mine.go('/cases')
  const tab = page.getByRole('button', { name: /已超时 1/ })
  await tab.click()
  const row = page.locator('tbody tr').filter({ hasText: words })
  await row.getByText(/‼ 承诺 B5：已超 3 小时/).waitFor()
  await row.click()
  await page.getByText('下一步').waitFor()
  await shows(() => page.getByRole('button', { name: '办结', exact: true }).count(), 0, 'neither decided nor told')
  await act(page, '作出结论', async (form) => {
    await shows(() => form.getByRole('button', { name: '定下结论' }).isDisabled(), true)
    await form.getByLabel('属实', { exact: true }).check()
    await form.getByLabel('结论', { exact: true }).fill('属实，已批评并致歉')
  }, '定下结论')
  await page.locator('.state').getByText('已有结论，待告知').waitFor()
  await act(page, '告知来人', async (form) => {
    await form.getByLabel('未接通').check()
  }, '记下告知')
  await page.getByText('联系来人未成（电话）').waitFor()
  await shows(() => page.getByRole('button', { name: '办结', exact: true }).count(), 0, 'nobody heard it yet')
  await act(page, '告知来人', (form) => form.getByLabel('说了什么').fill('用户接受道歉'), '记下告知')
  await page.getByText(/承诺 B5：超时 3 小时.*才告知/).waitFor()
  await act(page, '办结', async () => undefined, '确认办结')
  await page.locator('.state').getByText('已办结').waitFor()
  assert.deepEqual(problems, [])
})

test('a10 a question that a technician could not answer becomes a case and goes back to its asker', async (t) => {
  const hall = await opened(t)
  const me = staff('技术员')
  const job = await hall.job('repair', me.login, ACCOUNT)
  const phone = await Phone.open(hall, place(t, 'profile'))
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(me)
  await phone.sent()
  const mine = await desk(t, hall, hong)
  const { page, problems } = mine
  await mine.go('/cases')
  await page.getByRole('button', { name: /上门时的提问/ }).click()
  await page.getByText('上门时的提问都已受理').waitFor()

  await goIn(phone, job)
  await phone.page.getByRole('button', { name: '用户的问题' }).click()
  await phone.page.locator('textarea').first().fill('燃气表多少年要换？')
  await phone.tap('保存')
  await phone.sent()
  const card = page.locator('.asked li').filter({ hasText: '燃气表多少年要换？' })
  await card.filter({ hasText: `${me.name} 在门口被问到` }).waitFor()
  await card.getByRole('button', { name: /受理并由我回复/ }).click()
  await made(page, 'cases')
  await page.locator('blockquote').getByText('燃气表多少年要换？').waitFor()
  await page.getByText('待回电').waitFor()
  await act(page, '告知来人', (form) => form.getByLabel('说了什么').fill('十年，到期我们免费换'), '记下告知')
  await act(page, '办结', async () => undefined, '确认办结')
  await page.locator('.state').getByText('已办结').waitFor()
  assert.deepEqual([problems, phone.problems], [[], []])
})

test('b10 who reported abuse is shown to the owner alone, and each look stands in the record', async (t) => {
  const hall = await opened(t)
  const mine = await desk(t, hall, hong)
  const { page } = mine
  await mine.go('/intake')
  await page.getByLabel('举报以气谋私').check()
  await page.getByText('每次查看都留记录').waitFor()
  await page.getByLabel('来人姓名').fill('林先生')
  await page.getByLabel('联系方式').fill('13912345678')
  await page.getByLabel('用户原话').fill('有人上门私收改管费')
  await page.getByRole('button', { name: '受理' }).click()
  const id = await made(page, 'cases')
  await page.getByRole('button', { name: '查看举报人' }).click()
  await page.getByText('139 1234 5678').waitFor()
  await page.locator('.looks li').filter({ hasText: `${hong.name} · 已查看` }).waitFor()

  const boss = await desk(t, hall, manager)
  await boss.go(`/cases/${id}`)
  await boss.page.getByText('举报人保密，仅负责人可见').waitFor()
  await boss.page.locator('.looks li').waitFor()
  await shows(() => boss.page.getByRole('button', { name: '查看举报人' }).count(), 0)
  assert.doesNotMatch(await boss.page.locator('main').innerText(), /林先生|5678/)
  assert.deepEqual([mine.problems, boss.problems], [[], []])
})

test('a case leads to a job with its household and words, and each knows the other', async (t) => {
  const hall = await opened(t)
  await hall.post('/api/cases', { kind: 'request', channel: 'phone', account: ACCOUNT, words: '热水器点不着' })
  const mine = await desk(t, hall, dora)
  const { page, problems } = mine
  await mine.go('/intake')
  await page.getByLabel('哪一户').fill(ACCOUNT)
  await page.locator('.hits button').first().click()
  await page.getByText('这一户还有 1 件诉求未办结').waitFor()
  await page.getByRole('link', { name: /办理请求 1 号/ }).click()
  await page.getByRole('link', { name: '派人上门…' }).click()
  await page.getByText('为办理请求 1 号派人上门').waitFor()
  await page.getByLabel('维修').check()
  await shows(() => page.getByLabel('用户原话').inputValue(), '热水器点不着')
  await page.getByLabel('日期').fill(new Date(Date.now() + 32 * HOUR_MS).toISOString().slice(0, 10))
  await page.getByLabel(/14:00–16:00 · \d+ 人可准时到/).check()
  await page.getByRole('button', { name: '受理' }).click()

  const job = await made(page, 'job')
  const { job: whole } = await hall.jobPage(job)
  assert.equal(whole.briefing.request, '热水器点不着')
  await page.getByRole('link', { name: '办理请求 1 号' }).click()
  await page.locator(`[data-born="${job}"]`).waitFor()
  await page.getByText('派出工单').waitFor()
  assert.deepEqual(problems, [])
})

test('a caller at an unknown address has a case too', async (t) => {
  const hall = await opened(t)
  const mine = await desk(t, hall, hong)
  const { page, problems } = mine
  await mine.go('/intake')
  await page.getByLabel('不是登记用户').check()
  await page.getByLabel('咨询').check()
  await page.getByLabel('来人姓名').fill('路过的王先生')
  await page.getByLabel('联系方式').fill('13800138000')
  await page.getByLabel('用户原话').fill('滨江新区何时通气？')
  await page.getByLabel('答应回电').check()
  await page.getByRole('button', { name: '受理' }).click()
  await made(page, 'cases')
  await page.getByText('没有登记的用户').waitFor()
  await page.getByText('待回电').waitFor()
  await mine.go('/cases')
  await page.getByRole('button', { name: /待回电 1/ }).click()
  await page.getByLabel('查找').fill('滨江')
  await page.locator('tbody tr').filter({ hasText: '路过的王先生' }).waitFor()
  assert.deepEqual(problems, [])
})

test('b4 what somebody left behind is handed on by who runs the hall', async (t) => {
  const hall = await opened(t)
  await hall.signIn(hong)
  await hall.post('/api/cases', { kind: 'suggestion', channel: 'counter', words: '大厅多放几把椅子' })
  await hall.signIn(manager)
  const gone = await hall.user(hong.login)
  await hall.post(`/api/users/${gone.id}/disable`)
  const mine = await desk(t, hall, manager)
  const { page, problems } = mine
  await mine.go('/cases')
  await page.getByRole('button', { name: /负责人已离岗 1/ }).click()
  await page.locator('tbody tr').filter({ hasText: '大厅多放几把椅子' }).click()
  await page.getByText('负责人已离岗：请由值班经理移交').waitFor()
  await act(page, '移交给…', async (form) => {
    await form.getByLabel('移交给谁').selectOption({ label: manager.name })
    await form.getByLabel('为什么移交').fill('原负责人已离岗')
  }, '发出移交')
  await page.getByRole('button', { name: '接收', exact: true }).click()
  await page.locator('.facts-of strong').filter({ hasText: manager.name }).waitFor()
  assert.deepEqual(problems, [])
})
