// What Lighthouse says of the first visit, on its simulated slow 4G.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import lighthouse from 'lighthouse'
import { Phone } from './browser.js'
import { ROOT } from './ground.js'

/** Scores of the page that somebody sees first, printed with what costs most. */
export async function score(hall) {
  mkdirSync(ROOT, { recursive: true })
  const port = 9333
  const phone = await Phone.open(hall, join(ROOT, 'lighthouse'), { args: [`--remote-debugging-port=${port}`] })
  const { lhr } = await lighthouse(`${hall.base}/m/`, { port, output: 'json', logLevel: 'error', locale: 'en' })
  await phone.close()
  const scores = Object.values(lhr.categories).map(({ title, score }) => `${title} ${Math.round(score * 100)}`)
  const paint = lhr.audits['largest-contentful-paint'].displayValue
  const failed = Object.values(lhr.audits).filter(({ score, scoreDisplayMode }) => score !== null && score < 1 && scoreDisplayMode === 'binary')
  return { scores, paint, failed: failed.map(({ id }) => id) }
}
