// What every journey stands on: a folder of its own, and a hall with the demo's people in it.

import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Hall } from './hall.js'

export const ROOT = process.env.DOORSTEP_GROUND ?? '/tmp/doorstep-journeys'
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
