// What both faces cost: bytes of the app's first load, opening cold, a tap until it is saved, room on the phone.
// Each figure stands beside something measured in the same run.

import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Phone } from './browser.js'
import { benchDesk } from './desk-bench.js'
import { ROOT } from './ground.js'
import { score } from './lighthouse.js'
import { benchReach } from './reach-bench.js'
import { ACCOUNTS, Hall, staff } from './hall.js'
import { slowedBy } from './slow.js'

const { DOORSTEP_WEB } = process.env
const me = staff('技术员', 2)
const median = (times) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]
const tell = (what, figure) => console.log(`${what.padEnd(58)} ${figure}`)

/** Every file that a first visit loads, as it travels. */
function firstLoad() {
  const folder = join(DOORSTEP_WEB, 'm')
  const assets = readdirSync(join(folder, 'assets')).map((name) => join(folder, 'assets', name))
  const sizes = ['br', 'gz'].map((ending) => {
    const files = [join(folder, 'index.html'), ...assets.filter((path) => !/\.(br|gz)$/.test(path))]
    return files.reduce((sum, path) => sum + statSync(`${path}.${ending}`).size, 0)
  })
  const plain = assets.filter((path) => !/\.(br|gz)$/.test(path)).reduce((sum, path) => sum + statSync(path).size, 0)
  tell('first load, Brotli / gzip', `${kb(sizes[0])} / ${kb(sizes[1])} (${(sizes[0] / plain).toFixed(2)} x the files themselves)`)
}

const SLOWLY = ', CPU slowed down 4 x'
const kb = (bytes) => `${(bytes / 1000).toFixed(0)} kB`

/** When things were first drawn, by the page's own clock since it was asked for, and when the last tap was. */
const WATCH = () => {
  const seen = (window.seen = {})
  const look = () => {
    for (const what of ['.unlock', 'form', 'li.job']) {
      if (what in seen || !document.querySelector(what)) continue
      seen[what] = Infinity
      requestAnimationFrame(() => (seen[what] = performance.now()))
    }
  }
  new MutationObserver(look).observe(document, { childList: true, subtree: true })
  addEventListener('click', () => (seen.tap = performance.now()), { capture: true })
}

/** Opens the app in a browser that has just begun; tells what the page saw. */
async function opens(phone, what) {
  await phone.close()
  await phone.launch()
  await phone.context.addInitScript(WATCH)
  await phone.visit()
  if (what === 'li.job') await phone.unlock()
  await phone.page.waitForFunction((what) => Number.isFinite(window.seen[what]), what)
  return phone.page.evaluate(() => window.seen)
}

/** From the address to the PIN, and from the PIN to the list; the empty app beside it. */
async function coldOpen(phone, what, empty) {
  const times = []
  for (let run = 0; run < 7; run += 1) {
    const seen = await opens(phone, 'li.job')
    times.push([seen['.unlock'], seen['li.job'] - seen.tap])
  }
  const total = median(times.map(([asked, opened]) => asked + opened))
  const [asked, opened] = [median(times.map(([it]) => it)), median(times.map(([, it]) => it))]
  tell(`cold open ${what}`, `${total.toFixed(0)} ms: ${asked.toFixed(0)} to the PIN, ${opened.toFixed(0)} from it to the list (${(total / empty).toFixed(2)} x the empty app)`)
}

/** The app with nobody enrolled: page, worker and brain, and no data. */
async function emptyOpen(hall, what, options = {}) {
  const phone = await Phone.open(hall, join(ROOT, 'bench-empty'), options)
  await phone.visit()
  await phone.page.locator('form').waitFor()
  await phone.kept()
  const times = []
  for (let run = 0; run < 7; run += 1) times.push((await opens(phone, 'form')).form)
  await phone.close()
  tell(`cold open of the empty app${what}`, `${median(times).toFixed(0)} ms`)
  return median(times)
}

/** From the tap to the word "saved", beside one bare strict transaction of as many bytes. */
async function tapToSaved(phone, job) {
  await phone.job(job)
  const taps = await phone.page.evaluate(async () => {
    const times = []
    for (let line = 0; line < 30; line += 1) {
      const field = document.querySelector('.messages textarea')
      field.value = `第 ${line} 条`
      field.dispatchEvent(new Event('input'))
      await new Promise((resolve) => setTimeout(resolve, 60))
      const told = document.querySelector('.told')
      const before = told.dataset.count
      const began = performance.now()
      document.querySelector('.messages form button').click()
      await new Promise((resolve) => {
        const watch = new MutationObserver(() => told.dataset.count !== before && (watch.disconnect(), resolve()))
        watch.observe(told, { attributes: true })
      })
      times.push(performance.now() - began)
    }
    return times
  })
  const bare = await phone.page.evaluate(async () => {
    const database = await new Promise((resolve) => {
      const asked = indexedDB.open('bare', 1)
      asked.onupgradeneeded = () => asked.result.createObjectStore('log', { autoIncrement: true })
      asked.onsuccess = () => resolve(asked.result)
    })
    const times = []
    for (let row = 0; row < 30; row += 1) {
      const began = performance.now()
      await new Promise((resolve) => {
        const transaction = database.transaction('log', 'readwrite', { durability: 'strict' })
        transaction.objectStore('log').add(new Uint8Array(400))
        transaction.oncomplete = resolve
      })
      times.push(performance.now() - began)
    }
    return times
  })
  const p95 = taps.toSorted((a, b) => a - b)[28]
  tell('tap to "saved", median / p95', `${median(taps).toFixed(1)} / ${p95.toFixed(1)} ms (${(median(taps) / median(bare)).toFixed(1)} x a bare strict transaction of ${median(bare).toFixed(1)} ms)`)
}

/** Bytes of the sealed log a job, beside what the hall's document of it takes. */
async function room(phone, hall, job, jobs) {
  const bytes = await phone.page.evaluate(async () => {
    const database = await new Promise((resolve) => (indexedDB.open('doorstep').onsuccess = (event) => resolve(event.target.result)))
    const rows = await new Promise((resolve) => (database.transaction('log').objectStore('log').getAll().onsuccess = (event) => resolve(event.target.result)))
    return rows.reduce((sum, row) => sum + row.data.byteLength + row.iv.byteLength, 0)
  })
  const reply = await fetch(`${hall.base}/api/jobs/${job}/document`, { headers: { authorization: `Bearer ${hall.token}` } })
  const document = (await reply.arrayBuffer()).byteLength
  tell('IndexedDB bytes a job', `${(bytes / jobs).toFixed(0)} B (${(bytes / jobs / document).toFixed(2)} x the hall's document of ${document} B)`)
}

async function withJobs(hall, wanted, empty) {
  const { id } = await hall.user(me.login)
  const window = { start: Date.now() - 600_000, end: Date.now() + 3_600_000 }
  let last
  for (let made = 0; made < wanted - 20; made += 1) {
    const account = ACCOUNTS[made % ACCOUNTS.length]
    last = await hall.post('/api/jobs', { kind: 'meter_reading', account, request: '双月抄表', technician: id, appointment: { window, channel: 'phone' } }).catch((error) => (console.error(String(error)), last))
  }
  const folder = join(ROOT, `bench-${wanted}`)
  const phone = await Phone.open(hall, folder)
  await phone.enrol(me)
  await phone.sent()
  await phone.kept()
  await phone.page.waitForFunction((wanted) => document.querySelectorAll('li.job').length >= wanted, wanted * 0.9)
  const shown = await phone.page.locator('li.job').count()
  await coldOpen(phone, `with ${shown} jobs`, empty)
  await room(phone, hall, last.id, shown)
  await tapToSaved(phone, last.id)
  await slowly(phone, async () => {
    const empty = await emptyOpen(hall, SLOWLY, phone.options)
    await coldOpen(phone, `with ${shown} jobs${SLOWLY}`, empty)
  })
  await phone.close()
}

/** Does something with a browser four times slower than this machine. */
async function slowly(phone, work) {
  const slow = slowedBy(4, ROOT)
  if (!slow) return tell(SLOWLY, 'not measured: this system lets nobody freeze processes')
  phone.options = { executablePath: slow.program }
  await work()
  await slow.stop()
  phone.options = {}
}

rmSync(ROOT, { recursive: true, force: true })
mkdirSync(ROOT, { recursive: true })
firstLoad()
for (const jobs of [40, 500]) {
  const database = join(ROOT, `hall-${jobs}.db`)
  await Hall.load(database)
  const hall = await Hall.open(database)
  if (jobs === 40) {
    const { scores, paint, failed } = await score(hall)
    tell('Lighthouse, first visit, simulated slow 4G', `${scores.join(', ')}; largest paint ${paint}${failed.length ? `; fails ${failed.join(', ')}` : ''}`)
  }
  const empty = await emptyOpen(hall, '')
  await withJobs(hall, jobs, empty)
  await hall.stop()
}
await benchReach()
await benchDesk()
process.exit(0)
