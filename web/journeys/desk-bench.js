// What the dispatch board costs with a large hall: 60 technicians and 1,200 jobs of today.

import { join } from 'node:path'
import { Desk } from './desk.js'
import { ROOT } from './ground.js'
import { ACCOUNTS, Hall, staff } from './hall.js'
import { scoreDesk } from './lighthouse.js'

const TECHNICIANS = 60
const JOBS = 1_200
/** One a second for an hour. */
const EVENTS = 3_600
const SCREENS = ['board', 'wall', 'intake', 'find/30100005', 'cases', 'households', 'figures', 'admin']
const median = (times) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]
const tell = (what, figure) => console.log(`${what.padEnd(58)} ${figure}`)

async function furnish(hall) {
  const { users } = await hall.get('/api/users?role=technician&limit=500')
  const ids = users.map((user) => user.id)
  const manager = staff('经理')
  // Signing in ends the session that asked for it, so the manager goes on with everything.
  hall.token = (await hall.send('POST', '/api/session', { login: manager.login, password: manager.password })).token
  for (let more = ids.length; more < TECHNICIANS; more += 1) {
    const made = await hall.post('/api/users', { login: `bench.${more}`, name: `技术员${more}`, role: 'technician', password: 'kettle sings at noon' })
    ids.push(made.id)
  }
  const day = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10)
  const start = Date.parse(`${day}T00:00:00Z`)
  for (let made = 200; made < JOBS; made += 1) {
    const from = start + [0, 2, 6, 8][made % 4] * 3_600_000
    const window = { start: from, end: from + 2 * 3_600_000 }
    const technician = ids[made % ids.length]
    await hall.post('/api/jobs', { kind: 'meter_reading', account: ACCOUNTS[made % ACCOUNTS.length], request: '', technician, appointment: { window, channel: 'phone' } })
  }
  return ids
}

/** From the address to the last bar, with the session that is there. */
async function firstPaint(desk) {
  const times = []
  for (let run = 0; run < 5; run += 1) {
    await desk.page.goto('about:blank')
    await desk.page.goto(`${desk.hall.base}/c/`)
    await desk.page.waitForFunction((jobs) => document.querySelectorAll('.bar').length >= jobs * 0.98, JOBS, { polling: 'raf' })
    times.push(await desk.page.evaluate(() => performance.now()))
  }
  return median(times)
}

/** From a change's commit to its drawing, told by the page itself. */
async function eventToPixel(desk, hall, ids) {
  const { jobs } = await hall.get('/api/jobs?limit=200')
  const times = []
  for (const job of jobs) {
    const to = ids.find((id) => id !== job.technician)
    const drawn = desk.page.evaluate(
      ([id, to]) =>
        new Promise((resolve) => {
          const look = () => document.querySelector(`[data-drop="${to}"] [data-bar="${id}"]`)
          const watch = new MutationObserver(() => {
            if (!look()) return
            watch.disconnect()
            requestAnimationFrame(() => resolve(Date.now()))
          })
          watch.observe(document.body, { childList: true, subtree: true })
        }),
      [job.id, to],
    )
    await hall.post(`/api/jobs/${job.id}/assignments`, { technician: to })
    const committed = Date.now()
    times.push((await drawn) - committed)
  }
  const sorted = times.toSorted((a, b) => a - b)
  return [median(times), sorted[Math.floor(sorted.length * 0.99)]]
}

/** What the page holds after its garbage was collected. */
async function heap(desk) {
  const cdp = await desk.page.context().newCDPSession(desk.page)
  await cdp.send('HeapProfiler.collectGarbage')
  const { usedSize } = await cdp.send('Runtime.getHeapUsage')
  await cdp.detach()
  return usedSize / 1e6
}

/** An hour's events, as fast as the hall takes them. */
async function anHour(hall, ids) {
  const { jobs } = await hall.get('/api/jobs?limit=500')
  for (let event = 0; event < EVENTS; event += 1) {
    await hall.post(`/api/jobs/${jobs[event % jobs.length].id}/assignments`, { technician: ids[event % ids.length] })
  }
}

/** How long frames take while a bar is dragged over the board, beside frames of the board at rest. */
async function frames(desk, dragging) {
  const bar = await desk.page.locator('.bar.assigned').first().boundingBox()
  const measured = desk.page.evaluate(
    () =>
      new Promise((resolve) => {
        const times = []
        let last = performance.now()
        const frame = (now) => {
          times.push(now - last)
          last = now
          if (times.length < 60) requestAnimationFrame(frame)
          else resolve(times.slice(1))
        }
        requestAnimationFrame(frame)
      }),
  )
  if (dragging) {
    await desk.page.mouse.move(bar.x + 5, bar.y + 5)
    await desk.page.mouse.down()
    for (let step = 0; step < 60; step += 1) await desk.page.mouse.move(bar.x + 5 + step * 4, bar.y + 5 + step * 6)
  }
  const times = (await measured).toSorted((a, b) => a - b)
  if (dragging) await desk.page.keyboard.press('Escape').then(() => desk.page.mouse.up())
  return [median(times), times[Math.floor(times.length * 0.95)]]
}

export async function benchDesk() {
  const database = join(ROOT, 'hall-desk.db')
  await Hall.load(database)
  const hall = await Hall.open(database)
  const small = await Desk.open(hall, staff('调度员'))
  await small.page.locator('.bar').nth(150).waitFor()
  const ids = await furnish(hall)
  await small.close()
  const desk = await Desk.open(hall, staff('调度员'))
  await desk.page.locator('.bar').nth(1_000).waitFor()
  const painted = await firstPaint(desk)
  tell(`board of ${TECHNICIANS} technicians and ${JOBS} jobs: every bar drawn`, `${painted.toFixed(0)} ms`)
  const [still, stillWorst] = await frames(desk, false)
  const [moved, worst] = await frames(desk, true)
  tell('a frame while dragging, median / p95', `${moved.toFixed(1)} / ${worst.toFixed(1)} ms (at rest ${still.toFixed(1)} / ${stillWorst.toFixed(1)} ms)`)
  const [half, most] = await eventToPixel(desk, hall, ids)
  tell('a change at the hall until it is drawn, median / p99 of 200', `${half.toFixed(0)} / ${most.toFixed(0)} ms after the reply to who made it`)
  const before = await heap(desk)
  await anHour(hall, ids)
  const after = await heap(desk)
  tell(`memory after ${EVENTS} events, an hour of one a second`, `${after.toFixed(1)} MB (${(after / before).toFixed(2)} x the ${before.toFixed(1)} MB before)`)
  await desk.close()
  for (const [screen, { scores, failed }] of await scoreDesk(hall, staff('经理'), SCREENS)) {
    tell(`Lighthouse, desk: ${screen}`, `${scores.join(', ')}${failed.length ? `; fails ${failed.join(', ')}` : ''}`)
  }
  await hall.stop()
}
