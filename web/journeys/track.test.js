// A household's page: told by a gateway, opened on its phone, true to what the technician does, asked and rated by it.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { chromium } from 'playwright-core'
import { findings } from './axe.js'
import { FLAGS, PICTURE, PROGRAM, Phone } from './browser.js'
import { Desk } from './desk.js'
import { opened, place, shows, until } from './ground.js'
import { staff } from './hall.js'
import { UNSIGNED, WORK, conduct, goOut } from './visit.js'

const ACCOUNT = '30100006'
const KIND = 'cash_collection'
const SHOTS = process.env.DOORSTEP_SHOTS

/** A gateway on this machine that keeps what it hears. */
async function gateway(t) {
  const heard = []
  const server = createServer(async (request, reply) => {
    let text = ''
    for await (const part of request) text += part
    heard.push(JSON.parse(text).data)
    reply.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { address: `127.0.0.1:${server.address().port}`, heard }
}

const shot = (page, name) => (SHOTS ? page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true }) : undefined)

test('a10 a household is told, follows its visit on its phone, rates it, and the desk sees that', async (t) => {
  const sms = await gateway(t)
  process.env.DOORSTEP_WEBHOOK_ALLOWED = sms.address
  process.env.DOORSTEP_PUBLIC_URL = 'http://gas.example'
  const hall = await opened(t)
  const [me, dora, manager] = [staff('技术员'), staff('调度员'), staff('经理')]
  await hall.signIn(manager)
  await hall.post('/api/webhooks', { url: `http://${sms.address}/sms`, kinds: ['household.notice'], with_household: false })
  await hall.send('PUT', `/api/users/${(await hall.user(me.login)).id}/work-card`, { number: 'RQ-0173' })
  await hall.signIn(dora)
  const job = await hall.job(KIND, me.login, ACCOUNT)
  const desk = await Desk.open(hall, dora)
  t.after(() => desk.close().catch(() => undefined))
  const boss = await Desk.open(hall, manager)
  t.after(() => boss.close().catch(() => undefined))
  await boss.go('/admin/people')
  await boss.page.locator(`[data-person="${me.login}"]`).getByRole('button', { name: '工作证' }).click()
  const card = boss.page.locator('dialog[open]')
  await card.locator('input[type=file]').setInputFiles(PICTURE)
  await card.locator('img').waitFor()
  await shot(boss.page, 'desk-card')
  await card.getByRole('button', { name: '确定' }).click()
  await boss.page.getByText(`已记录${me.name}的工作证`).waitFor()
  assert.deepEqual(boss.problems, [])
  await desk.go(`/job/${job}`)
  await desk.page.getByRole('button', { name: '生成用户链接' }).click()
  const made = await desk.page.getByLabel('用户链接', { exact: true }).inputValue()
  const path = new URL(made).pathname

  const browser = await chromium.launch({ executablePath: PROGRAM, args: FLAGS })
  t.after(() => browser.close().catch(() => undefined))
  const context = await browser.newContext({ viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true, locale: 'zh-CN' })
  const page = await context.newPage()
  const problems = []
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
  const foreign = []
  page.on('request', (request) => request.url().startsWith(hall.base) || request.url().startsWith('data:') || foreign.push(request.url()))
  await page.goto(hall.base + path)
  await page.getByText('已安排人员').waitFor()
  await page.getByText('工作证号 RQ-0173').waitFor()
  await shows(() => page.locator('.who img').evaluate((it) => it.complete && it.naturalWidth), 512, 'the picture is there to compare')
  assert.deepEqual(await findings(page), [])
  await shot(page, 'track-assigned-zh')
  await page.getByRole('button', { name: 'English' }).click()
  await page.getByText('Somebody is chosen').waitFor()
  assert.deepEqual(await findings(page), [])
  await shot(page, 'track-assigned-en')
  await page.getByRole('button', { name: '中文' }).click()
  await page.getByText('提问', { exact: true }).click()
  await page.getByLabel('您的问题').fill('可以刷卡吗？')
  await page.locator('details[open]').getByRole('button', { name: '发送' }).click()
  await page.getByText('营业厅已收到').waitFor()
  await page.getByText('换个时间', { exact: true }).click()
  await page.getByRole('button', { name: '查看空闲时段' }).click()
  await page.locator('.slots label, p[role=status]').first().waitFor()
  await shot(page, 'track-wish-zh')
  assert.deepEqual(await findings(page), [])

  const phone = await Phone.open(hall, place(t, 'profile'))
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(me)
  await phone.listed()
  await phone.job(job)
  if (await phone.page.getByRole('button', { name: '已接通' }).isVisible()) await phone.tap('已接通')
  await phone.tap('出发')
  await phone.sent()
  // Who is on the way is told at any hour.
  const onTheWay = await until(() => sms.heard.find((it) => it.occasion === 'on_the_way' && it.job === job), Boolean, 'on the way')
  assert.match(onTheWay.text, /工作证号RQ-0173/)
  await page.goto(hall.base + new URL(onTheWay.link).pathname)
  await page.getByText('工作人员已出发').waitFor()
  await page.getByText(/片刻前更新|分钟前更新/).waitFor()
  await shot(page, 'track-on-the-way-zh')
  await phone.tap('已到达')
  await conduct(phone, '门口')
  await conduct(phone, '入户前')
  await WORK[KIND](phone)
  await goOut(phone, !UNSIGNED.includes(KIND))
  await phone.sent()
  const done = await until(async () => (await hall.get(`/api/jobs/${job}/notices`)).notices.find((it) => it.occasion === 'done'), Boolean, 'done is written')
  assert.match(done.words, /上门收费已完成/)
  await page.reload()
  await page.getByText('收取现金 86.50 元').waitFor()
  await shot(page, 'track-done-zh')
  await page.locator('.scores label').nth(4).click()
  await page.getByLabel('想说的话').fill('很细心')
  await page.getByRole('button', { name: '发送' }).first().click()
  await page.getByText('谢谢，您的评价：5 分').waitFor()
  assert.deepEqual(await findings(page), [])
  await shot(page, 'track-rated-zh')
  await desk.page.locator('[data-rating]', { hasText: '很细心' }).waitFor()
  await boss.go('/figures/ratings')
  await boss.page.getByRole('button', { name: `${me.name}，5 分：1，查看工单` }).click()
  await boss.page.locator(`.behind a[href="#/job/${job}"]`).waitFor()
  assert.deepEqual(await findings(boss.page), [])
  await shot(boss.page, 'desk-ratings')
  await desk.page.locator('[data-notice="done"]').waitFor()
  assert.deepEqual(await findings(desk.page), [])
  await desk.page.locator('[data-rating]').scrollIntoViewIfNeeded()
  await shot(desk.page, 'desk-job')
  await desk.go(`/households/${(await hall.jobPage(job)).summary.household.id}`)
  await desk.page.locator('[data-notice]').first().waitFor()
  await shot(desk.page, 'desk-household')

  await hall.send('DELETE', `/api/jobs/${job}/links`)
  await page.reload()
  await page.getByText('此链接已失效或不存在').waitFor()
  await shot(page, 'track-over-zh')
  assert.deepEqual(problems.filter((it) => !/404/.test(it)), [])
  assert.deepEqual(foreign, [])
  assert.deepEqual(desk.problems, [])
})
