// The same changes in WebAssembly and natively: a phone's brain run here, the hall's server there, equal documents.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import init, { Brain } from '../field/src/brain/brain.js'
import { opened } from './ground.js'
import { ACCOUNTS, staff } from './hall.js'

const WASM = new URL('../field/src/brain/brain_bg.wasm', import.meta.url)
const KINDS = ['meter_reading', 'repair', 'hose_replacement', 'ignition', 'cash_collection', 'safety_inspection', 'sealing']
const ENOUGH = 1_000

/** A store in memory; the browser's has journeys of its own. */
class Memory {
  log = null
  blobs = new Map()
  leftMoment = async () => null
  said = async () => null
  read = async () => this.log
  append = async (bytes) => {
    this.log = new Uint8Array(Buffer.concat([this.log ?? Buffer.alloc(0), bytes]))
  }
  replace = async (bytes) => {
    this.log = bytes
  }
  setAside = async () => undefined
  asides = async () => []
  erase = async () => undefined
  keepBlob = async (name, bytes) => void this.blobs.set(name, bytes)
  readBlob = async (name) => this.blobs.get(name) ?? null
  removeBlob = async (name) => void this.blobs.delete(name)
  blobNames = async () => [...this.blobs.keys()]
}

/** The same sequence for the same seed. */
function dice(seed) {
  let state = seed
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

const ask = async (brain, request) => JSON.parse(await brain.ask(JSON.stringify(request), Date.now(), performance.now()))

async function meet(hall, brain, token) {
  for (;;) {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/cbor' }
    const body = brain.offer(Date.now(), performance.now())
    const reply = await fetch(`${hall.base}/api/sync`, { method: 'POST', headers, body })
    const took = await brain.take_reply(new Uint8Array(await reply.arrayBuffer()), Date.now(), performance.now())
    if (took === 'again') continue
    assert.equal(took, 'complete')
    return brain.finish_sync(true)
  }
}

/** One of the things that a technician might try next, sensible or not. */
function attempt(roll, job, page) {
  const record = (fact) => ({ do: 'record', job, fact })
  const meter = page.job.briefing.meters[0]?.id ?? page.job.id
  const facts = Object.values(page.job.visits).flatMap((visit) => Object.keys(visit.facts))
  const any = facts[roll(Math.max(1, facts.length))] ?? '00000000-0000-7000-8000-000000000000'
  const choices = [
    () => record({ type: 'phoned_ahead', reached: roll(2) === 0 }),
    () => record({ type: 'set_out' }),
    () => record({ type: 'arrived', fix: { place: { latitude: 31.3 + roll(100) / 1e4, longitude: 118.4 }, accuracy_m: 8.5, age_ms: 120 } }),
    () => ({ do: 'rest_done', job, phase: ['at_the_door', 'before_entering', 'before_leaving'][roll(3)] }),
    () => record({ type: 'conduct', item: 'shoe_covers', answer: { answer: 'waived' } }),
    () => ({ do: 'read', job, meter, register: roll(9_000_000), corrects: null }),
    () => record({ type: 'household_told', reading: any }),
    () => record({ type: 'measure_taken', reading: any, measure: 'leak_check' }),
    () => ({ do: 'hose', job, removed: null, kind: 'rubber', length_mm: 500 + roll(2_000) }),
    () => ({ do: 'hazard', job, item: 'hose_overdue', text: `第 ${roll(9)} 处` }),
    () => record({ type: 'notice_given', hazard: any, answer: { answer: 'refused_to_sign', reason: '拒签' } }),
    () => record({ type: 'tightness_tested', tight: roll(3) > 0 }),
    () => record({ type: 'gas_switched', on: roll(2) === 0 }),
    () => ({ do: 'cash', job, amount: roll(100_000), reason: '网络缴费停用' }),
    () => record({ type: 'noted', text: '门铃坏了，请敲门 🚪'.repeat(1 + roll(3)) }),
    () => record({ type: 'asked', question: '能否改线？' }),
    () => record({ type: 'withdrawn', fact: any, reason: '点错了' }),
    () => record({ type: 'closed', outcome: { outcome: 'cannot_finish', reason: '缺件', follow_up: '带件再来' } }),
    () => ({ do: 'message', job, text: `消息 ${roll(1000)}` }),
  ]
  return choices[roll(choices.length)]()
}

test('s8 r8 a thousand changes make equal documents in WebAssembly and in the hall', async (t) => {
  const hall = await opened(t)
  const me = staff('技术员', 3)
  const jobs = []
  for (let at = 0; at < 35; at += 1) jobs.push(await hall.job(KINDS[at % KINDS.length], me.login, ACCOUNTS[at]))
  const { login, password } = me
  const enrolled = await hall.post('/api/devices', { login, password, code: await hall.code(login), name: 'brain' })
  await init({ module_or_path: readFileSync(WASM) })
  const brain = await Brain.open(new Memory(), Date.now(), performance.now())
  await ask(brain, { do: 'enrol', device: enrolled.device, user: enrolled.user.id, hall: enrolled.user.hall })
  await meet(hall, brain, enrolled.token)

  const roll = dice(20_261_124)
  let saved = 0
  for (let tries = 0; saved < ENOUGH && tries < 20 * ENOUGH; tries += 1) {
    const job = jobs[roll(jobs.length)]
    const page = await ask(brain, { do: 'job', job })
    const answer = await ask(brain, attempt(roll, job, page.ok))
    assert.equal(answer.broken, undefined)
    saved += answer.ok === undefined ? 0 : 1
    if (saved % 100 === 50 && answer.ok !== undefined) {
      await hall.post(`/api/jobs/${job}/messages`, { text: `营业厅 ${saved}` })
      await meet(hall, brain, enrolled.token)
    }
  }
  await meet(hall, brain, enrolled.token)

  assert.ok(saved >= ENOUGH, `${saved} changes`)
  const { ok: state } = await ask(brain, { do: 'state' })
  assert.deepEqual([state.only_here, state.quarantined], [0, []])
  for (const job of jobs) {
    const { ok: mine } = await ask(brain, { do: 'job', job })
    const theirs = await hall.jobPage(job)
    assert.deepEqual(mine.job, theirs.job)
    assert.deepEqual(mine.standing, theirs.standing)
  }
})
