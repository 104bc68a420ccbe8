// A whole day without a network: each kind of visit, the browser killed on the way, and nothing lost.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone } from './browser.js'
import { opened, place } from './ground.js'
import { staff } from './hall.js'
import { UNSIGNED, WORK, goIn, goOut } from './visit.js'

const ACCOUNTS = ['30100001', '30100002', '30100003', '30100004', '30100005', '30100006', '30100007', '30100008', '30100009', '30100010']

test('r5 a visit of each kind is done offline, survives SIGKILL in its middle, and reaches the hall', async (t) => {
  const hall = await opened(t)
  const me = staff('技术员')
  const kinds = Object.keys(WORK)
  const jobs = []
  for (const [at, kind] of kinds.entries()) {
    jobs.push(await hall.job(kind, me.login, ACCOUNTS[at]))
  }
  let phone = await Phone.open(hall, place(t, 'profile'))
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(me)
  await phone.kept()
  // What did not arrive cannot be worked on.
  await phone.sent()
  await hall.stop()
  await phone.kill()

  await phone.launch()
  await phone.visit()
  await phone.unlock()
  await phone.listed()
  for (const [at, kind] of kinds.entries()) {
    await goIn(phone, jobs[at])
    await WORK[kind](phone)
    if (at % 3 === 0) {
      await phone.kill()
      await phone.launch()
      await phone.visit()
      await phone.unlock()
      await phone.listed()
      await phone.job(jobs[at])
    }
    await goOut(phone, !UNSIGNED.includes(kind))
  }
  const waiting = await phone.page.locator('.strip strong').innerText()
  assert.match(waiting, /仅在本机：\d+ 条记录，\d+ 张照片/)
  await hall.start()
  await phone.sent()

  for (const [at, kind] of kinds.entries()) {
    const facts = await hall.facts(jobs[at])
    const closed = facts.filter((fact) => fact.type === 'closed')
    assert.deepEqual(closed.map((fact) => fact.outcome), [{ outcome: 'done' }], kind)
    assert.equal(facts.filter((fact) => fact.type === 'arrived').length, 1, kind)
    const { standing: { status } } = await hall.jobPage(jobs[at])
    assert.equal(status, 'done', kind)
    const { photos } = await hall.get(`/api/jobs/${jobs[at]}/photos`)
    assert.ok(photos.every((photo) => photo.held), `${kind}: the hall holds every picture`)
  }
  assert.deepEqual(phone.problems, [])
})
