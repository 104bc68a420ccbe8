// What Lighthouse says: of the app's first visit on its simulated slow 4G, and of the desk's screens on its simulated desktop.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import lighthouse from 'lighthouse'
import desktop from 'lighthouse/core/config/desktop-config.js'
import { Phone } from './browser.js'
import { Desk } from './desk.js'
import { ROOT } from './ground.js'

const PORT = 9333
const LISTENS = { args: [`--remote-debugging-port=${PORT}`] }

async function judged(address, flags = {}, config = undefined) {
  const { lhr } = await lighthouse(address, { port: PORT, output: 'json', logLevel: 'error', locale: 'en', ...flags }, config)
  const scores = Object.values(lhr.categories).map(({ title, score }) => `${title} ${Math.round(score * 100)}`)
  const paint = lhr.audits['largest-contentful-paint'].displayValue
  const failed = Object.values(lhr.audits).filter(({ score, scoreDisplayMode }) => score !== null && score < 1 && scoreDisplayMode === 'binary')
  return { scores, paint, failed: failed.map(({ id }) => id) }
}

/** Scores of the page that somebody sees first, with what costs most. */
export async function score(hall) {
  mkdirSync(ROOT, { recursive: true })
  const phone = await Phone.open(hall, join(ROOT, 'lighthouse'), LISTENS)
  const found = await judged(`${hall.base}/m/`)
  await phone.close()
  return found
}

/** Scores of each of the desk's screens, for somebody who is signed in. */
export async function scoreDesk(hall, person, screens) {
  const desk = await Desk.open(hall, person, { profile: join(ROOT, 'lighthouse-desk'), ...LISTENS })
  const found = []
  for (const screen of screens) found.push([screen, await judged(`${hall.base}/c/#/${screen}`, { disableStorageReset: true }, desktop)])
  await desk.close()
  return found
}
