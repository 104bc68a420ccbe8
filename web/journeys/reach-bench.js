// From the desk to the technician: a job given until the open app shows it, and until the lock screen does.

import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Phone } from './browser.js'
import { openedByDay, ROOT, until } from './ground.js'
import { ACCOUNTS, staff } from './hall.js'
import { PushService } from './push.js'

const GIVEN = 100
const me = staff('技术员', 2)
const tell = (what, figure) => console.log(`${what.padEnd(58)} ${figure}`)
const spread = (times) => {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))].toFixed(0)
  return `${at(0.5)} / ${at(0.99)} ms`
}

/** Notes when each job's banner was drawn, by the machine's clock, and puts it away for the next. */
const WATCH = () => {
  window.drawn = {}
  const look = () => {
    const notice = document.querySelector('.notice[data-job]')
    const job = notice?.dataset.job
    if (!job || job in window.drawn) return
    window.drawn[job] = null
    requestAnimationFrame(() => {
      window.drawn[job] = Date.now()
      notice.querySelector('button:last-of-type').click()
    })
  }
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, attributes: true })
}

/** Notes when each job's notification was shown. */
const NOTE = () => {
  self.shown = {}
  const { registration } = self
  const show = registration.showNotification.bind(registration)
  registration.showNotification = async (title, options) => {
    await show(title, options)
    self.shown[/job\/([\w-]+)/.exec(options.data.navigate)?.[1]] = Date.now()
  }
}

/** One after the other: how long until `shownAt` knows when the job was shown. */
async function given(hall, shownAt) {
  const [shown, asked] = [[], []]
  for (let made = 0; made < GIVEN; made += 1) {
    const began = Date.now()
    const job = await hall.job('meter_reading', me.login, ACCOUNTS[made])
    asked.push(Date.now() - began)
    shown.push((await until(() => shownAt(job), Boolean, `job ${made} was shown`)) - began)
  }
  return [spread(shown), spread(asked)]
}

export async function benchReach() {
  process.env.DOORSTEP_REMINDERS = 'false'
  const service = await PushService.open()
  const ends = []
  const hall = await openedByDay({ name: 'bench reach', after: (end) => ends.push(end) })
  service.ahead = hall.ahead
  const phone = await Phone.open(hall, join(ROOT, 'bench-reach'), { permissions: ['geolocation', 'notifications'] })
  await phone.enrol(me)
  await phone.kept()
  await phone.page.evaluate(WATCH)
  const [open, asked] = await given(hall, (job) => phone.page.evaluate((job) => window.drawn[job], job))
  tell(`a job given until the open app shows it, median / p99 of ${GIVEN}`, `${open} (the desk's own request: ${asked})`)

  await service.serve(phone)
  await phone.page.evaluate(() => (location.hash = '#/phone'))
  await phone.page.getByRole('button', { name: '开启锁屏推送' }).click()
  await phone.page.locator('.reach', { hasText: '已开启' }).waitFor()
  service.heard = await service.deliverTo(phone)
  const [worker] = phone.context.serviceWorkers()
  await worker.evaluate(NOTE)
  // The app is closed, as far as the hall can see: its service worker alone is left.
  await phone.page.goto(`${hall.base}/healthz`)
  const { id } = await hall.user(me.login)
  await until(async () => !(await hall.get('/api/channels')).technicians.find((it) => it.user === id).stream_open, Boolean, 'the stream is closed')
  const [locked, toDesk] = await given(hall, (job) => worker.evaluate((job) => self.shown[job], job))
  tell(`a job given until the lock screen shows it, median / p99 of ${GIVEN}`, `${locked} (the desk's own request: ${toDesk})`)
  await phone.close()
  for (const end of ends) end()
  service.close()
}

if (process.argv[1] === import.meta.filename) {
  rmSync(ROOT, { recursive: true, force: true })
  mkdirSync(ROOT, { recursive: true })
  await benchReach()
  process.exit(0)
}
