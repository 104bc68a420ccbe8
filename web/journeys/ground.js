// What every journey stands on: a folder of its own, and a hall with the demo's people in it.

import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { Hall, staff } from './hall.js'

export const ROOT = process.env.DOORSTEP_GROUND ?? '/tmp/doorstep-journeys'
/** How long a page on a busy machine may take to settle. */
const PATIENCE_MS = 20_000
const LOADED = join(ROOT, `loaded-${process.pid}.db`)

/** A folder or file of this test alone. */
export function place(t, name) {
  const folder = join(ROOT, t.name.replaceAll(/\W+/g, '-').slice(0, 60))
  mkdirSync(folder, { recursive: true })
  return join(folder, name)
}

/** A running hall on a fresh copy of the demo's database; stopped with the test. */
export async function opened(t, more = []) {
  const database = place(t, 'hall.db')
  rmSync(join(database, '..'), { recursive: true, force: true })
  mkdirSync(join(database, '..'), { recursive: true })
  if (!existsSync(LOADED)) await Hall.load(LOADED)
  copyFileSync(LOADED, database)
  const hall = await Hall.open(database, 0, more)
  t.after(() => hall.process.kill('SIGKILL'))
  return hall
}

const HOUR_MS = 3_600_000
/** The hall's city is eight hours east of UTC. */
const CITY_MS = 8 * HOUR_MS

/** The same at an hour of the day at which people are told of the day's work: by night much waits for the morning. */
export async function openedByDay(t) {
  const hour = new Date(Date.now() + CITY_MS).getUTCHours()
  if (hour >= 8 && hour < 20) return Object.assign(await opened(t), { ahead: 0 })
  const ahead = ((34 - hour) % 24) * HOUR_MS
  const hall = await opened(t, ['--clock', 'manual'])
  hall.ahead = ahead
  const tick = () => hall.post('/api/clock', { now_ms: Date.now() + ahead })
  await tick()
  // The session from before the morning is over.
  await hall.signIn(staff('调度员'))
  const ticking = setInterval(() => void tick().catch(() => undefined), 200)
  t.after(() => clearInterval(ticking))
  return hall
}

/** Looks again and again until `is` holds of what was read, and gives that; `says` is what never came. */
export async function until(read, is = Boolean, says = 'it never came so far') {
  for (const end = Date.now() + PATIENCE_MS; ; await new Promise((again) => setTimeout(again, 100))) {
    const found = await read()
    if (is(found)) return found
    assert.ok(Date.now() < end, says)
  }
}

/** Waits until a reading of a page is as expected: a page settles in its own time. */
export async function shows(read, expected, says) {
  const isPattern = expected instanceof RegExp
  let last
  await until(async () => (last = await read()), (found) => (isPattern ? expected.test(found) : isDeepStrictEqual(found, expected))).catch(() => undefined)
  if (isPattern) assert.match(last, expected, says)
  else assert.deepEqual(last, expected, says)
}
