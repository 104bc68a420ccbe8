// Scripts and markup in everything that people can write: every screen of the desk shows them as the text that they are.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Desk } from './desk.js'
import { ACCOUNTS, staff } from './hall.js'
import { opened, until } from './ground.js'

/** Each would run, call out or change the page where a text becomes markup or code. */
const CORPUS = [
  `<script>window.broken='script'</script>`,
  `<img src=x onerror="window.broken='img'">`,
  `<svg/onload=window.broken='svg'>`,
  `"><iframe srcdoc="<script>parent.broken='frame'</script>">`,
  `javascript:window.broken='url'//`,
  `{{constructor.constructor("window.broken='template'")()}}`,
  `' onmouseover='window.broken="attribute"' x='`,
  `<a href="javascript:window.broken='link'">tap</a>`,
  `</title></textarea></style><script>window.broken='out'</script>`,
  `<math><mtext><table><mglyph><style><img src=x onerror="window.broken='math'">`,
  `\u202egnp.exe <b>bold</b> \u0007`,
]
const all = CORPUS.join(' ').slice(0, 900)

test('check_32 scripts in every field are shown as text and nothing of them runs', async (t) => {
  const hall = await opened(t)
  const admin = staff('管理员')
  await hall.signIn(admin)
  const { households } = await hall.get(`/api/households?text=${ACCOUNTS[3]}`)
  const home = households[0].id
  const refused = []
  const put = (method, path, body) => hall.send(method, path, body).catch((error) => (refused.push(`${path}: ${error.message}`), null))

  // Whatever a person or another system may write, in as many places as take it.
  const jobs = []
  for (const words of [...CORPUS, all]) {
    const made = await put('POST', '/api/jobs', { kind: 'repair', account: ACCOUNTS[3], request: words })
    if (made) jobs.push(made.id)
  }
  const id = jobs[0]
  await put('POST', `/api/jobs/${id}/messages`, { text: all })
  await put('POST', `/api/jobs/${id}/instructions`, { text: all })
  const made = await put('POST', '/api/cases', { kind: 'request', channel: 'phone', account: ACCOUNTS[3], caller: CORPUS[1], contact: '13800138000', words: all })
  if (made) await put('POST', `/api/cases/${made.id}/events`, { act: 'note', text: all })
  await put('POST', `/api/households/${home}/entries`, { what: 'contact', phone: '13800138000', access: all.slice(0, 480) })
  await put('POST', '/api/applications', { procedure: 'sealing', channel: 'counter', account: ACCOUNTS[3], applicant: CORPUS[1], contact: '13800138000', words: all })
  await put('POST', '/api/leaks', { place: CORPUS[1], phone: '13800138000', request: all.slice(0, 400) })
  const start = Math.ceil(Date.now() / 3_600_000 + 80) * 3_600_000
  await put('POST', '/api/outages', { kind: 'planned', window: { start, end: start + 7_200_000 }, area: CORPUS[2], picks: { accounts: [ACCOUNTS[3]] }, reason: all.slice(0, 400) })
  await put('POST', '/api/users', { login: 'script.er', name: CORPUS[2].slice(0, 90), role: 'hall', password: 'a lantern under the stairs' })
  const register = `用户编号,用户名称,用气地址,联系电话\n30999999,"${CORPUS[1].replaceAll('"', '""')}","${CORPUS[2].replaceAll('"', '""')} 1幢101室",13800138000\n`
  const asked = { method: 'POST', headers: { authorization: `Bearer ${hall.token}`, 'content-type': 'application/octet-stream' }, body: register }
  const files = await (await fetch(`${hall.base}/api/imports?name=households.csv`, asked)).json()
  await put('POST', `/api/imports/${files.id}/apply`, { only_good: true })
  assert.ok(jobs.length === CORPUS.length + 1, `most of it was taken: ${refused.join('\n')}`)
  assert.ok(refused.length <= 2, refused.join('\n'))

  const desk = await Desk.open(hall, admin)
  t.after(() => desk.close().catch(() => undefined))
  const { page } = desk
  const outside = []
  page.on('request', (request) => new URL(request.url()).origin === hall.base || outside.push(request.url()))
  page.on('dialog', (dialog) => (outside.push(`dialog ${dialog.message()}`), dialog.dismiss()))
  await page.evaluate(() => {
    window.violations = []
    document.addEventListener('securitypolicyviolation', (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`))
  })
  const screens = ['/board', '/intake', '/wall', '/applications', '/cases', `/cases/${made?.id}`, '/households', `/households/${home}`, '/due', '/outages', '/doors', '/cash', '/reminders', '/figures', '/admin/people', '/admin/audit', '/admin/imports', '/find']
  const pages = jobs.map((it, at) => [`/job/${it}`, CORPUS[at] ?? all])
  const shown = new Set()
  for (const [screen, expected] of [...screens.map((it) => [it, '']), ...pages]) {
    if (screen === '/find') await desk.find(CORPUS[1])
    else await desk.go(screen)
    await page.locator('main').waitFor()
    await page.waitForLoadState('networkidle').catch(() => undefined)
    const text = await until(() => page.locator('main').innerText(), (it) => it.includes(expected.slice(0, 20)), `${screen} never showed ${expected}`)
    for (const words of CORPUS) if (text.includes(words.slice(0, 20))) shown.add(words)
    const found = await page.evaluate(() => [window.broken, ...window.violations, ...[...document.querySelectorAll('main img[src="x"], main iframe, main script, main math, main a[href^="javascript"]')].map((it) => it.outerHTML)].filter(Boolean))
    assert.deepEqual(found, [], screen)
  }
  assert.deepEqual(CORPUS.filter((words) => !shown.has(words)), [], 'each stood on a screen as it was written')
  assert.deepEqual(outside, [])
})
