// A slower machine: every process of a browser is frozen for most of the time, worker and page alike.

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { PROGRAM } from './browser.js'

/** How long the browser runs in each turn; short beside what is measured. */
const RUN_MS = 4

const TICKER = `
const { writeFileSync } = require('node:fs')
const { workerData: { freeze, run, rest, over } } = require('node:worker_threads')
const ended = new Int32Array(over)
while (Atomics.wait(ended, 0, 0, run) === 'timed-out') {
  writeFileSync(freeze, '1')
  Atomics.wait(ended, 0, 0, rest)
  writeFileSync(freeze, '0')
}
`

/**
 * A program that is Chromium at a fraction of this machine's speed, until `stop`; null where processes cannot be frozen.
 *
 * The browser's own throttling (CDP) slows pages alone, and this app works in a worker.
 */
export function slowedBy(factor, folder) {
  const mount = readFileSync('/proc/mounts', 'utf8').split('\n').find((line) => line.split(' ')[2] === 'cgroup2')
  const group = mount && join(mount.split(' ')[1], `doorstep-slow-${process.pid}`)
  const program = join(folder, 'slow-chromium')
  const over = new SharedArrayBuffer(4)
  try {
    mkdirSync(group, { recursive: true })
    writeFileSync(join(group, 'cgroup.freeze'), '0')
  } catch {
    return null
  }
  writeFileSync(program, `#!/bin/sh\necho $$ > ${group}/cgroup.procs\nexec ${PROGRAM} "$@"\n`)
  chmodSync(program, 0o755)
  const workerData = { freeze: join(group, 'cgroup.freeze'), run: RUN_MS, rest: RUN_MS * (factor - 1), over }
  const ticker = new Worker(TICKER, { eval: true, workerData })
  const stop = async () => {
    Atomics.store(new Int32Array(over), 0, 1)
    Atomics.notify(new Int32Array(over), 0)
    await ticker.terminate()
    writeFileSync(workerData.freeze, '0')
  }
  return { program, stop }
}
