// The hall as a dispatcher sees it, and a server that can be stopped and started under the app's feet.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const { DOORSTEP, DOORSTEP_WEB, DOORSTEP_HALL } = process.env
const PEOPLE = readFileSync(join(DOORSTEP_HALL, 'staff.csv'), 'utf8')
  .split(/\r?\n/)
  .slice(1)
  .map((row) => row.split(','))
  .map(([login, name, role, password, skills]) => ({ login, name, role, password, skills }))

/** The demo hall's account numbers. */
export const ACCOUNTS = readFileSync(join(DOORSTEP_HALL, 'households.csv'), 'utf8')
  .split(/\r?\n/)
  .slice(1)
  .map((row) => row.split(',')[0])
  .filter(Boolean)

export class Hall {
  /** Starts a server on a database file, with arguments of its own; a port of 0 takes a free one. */
  static async open(database, port = 0, more = []) {
    const hall = new Hall()
    hall.database = database
    hall.more = more
    await hall.start(port)
    await hall.signIn(staff('调度员'))
    return hall
  }

  /** Whose requests these are from now on. */
  async signIn({ login, password }) {
    this.token = null
    this.token = (await this.send('POST', '/api/session', { login, password })).token
    this.password = password
  }

  /** Loads the demo hall into a database file. */
  static async load(database) {
    const today = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10)
    const loading = spawn(DOORSTEP, ['import', DOORSTEP_HALL, '--database', `sqlite://${database}`, '--day', today])
    const [code] = await once(loading, 'exit')
    if (code !== 0) throw new Error(`the import ended with ${code}`)
  }

  async start(port = this.port, web = DOORSTEP_WEB) {
    const listen = ['--listen', `127.0.0.1:${port}`, '--database', `sqlite://${this.database}`, '--web', web, ...this.more]
    const env = { ...process.env, DOORSTEP_LOG: 'warn' }
    this.process = spawn(DOORSTEP, ['serve', ...listen], { stdio: ['ignore', 'pipe', 'inherit'], env })
    const [line] = await once(createInterface(this.process.stdout), 'line')
    this.base = line.trim().split(' ').pop()
    this.port = new URL(this.base).port
  }

  async stop() {
    this.process.kill('SIGKILL')
    await once(this.process, 'exit')
  }

  async send(method, path, body, expected = 300) {
    const headers = { 'content-type': 'application/json' }
    if (this.token) headers.authorization = `Bearer ${this.token}`
    const reply = await fetch(this.base + path, { method, headers, body: body && JSON.stringify(body) })
    const text = await reply.text()
    // A journey that takes long gives its password again, as who sits there would.
    if (reply.status === 403 && text.includes('password-needed')) {
      this.token = (await this.send('POST', '/api/session/proof', { password: this.password })).token
      return this.send(method, path, body, expected)
    }
    if (reply.status >= expected) throw new Error(`${method} ${path}: ${reply.status} ${text}`)
    return text ? JSON.parse(text) : null
  }

  get(path) {
    return this.send('GET', path)
  }

  post(path, body) {
    return this.send('POST', path, body ?? {})
  }

  async user(login) {
    const { users } = await this.get(`/api/users?text=${login}`)
    return users.find((user) => user.login === login)
  }

  /** A fresh one-time code. */
  async code(login) {
    return (await this.post(`/api/users/${(await this.user(login)).id}/enrolment-code`)).code
  }

  /** A new job of a kind for a technician, agreed for the hours around now. */
  async job(kind, login, account, more = {}) {
    const now = Date.now()
    const window = { start: now - 600_000, end: now + 3_600_000 }
    const technician = (await this.user(login)).id
    const body = { kind, account, request: '', technician, appointment: { window, channel: 'phone' }, ...more }
    return (await this.post('/api/jobs', body)).id
  }

  async jobPage(id) {
    return this.get(`/api/jobs/${id}`)
  }

  /** Every fact of a job that the hall has, oldest first. */
  async facts(id) {
    const { job } = await this.jobPage(id)
    return Object.values(job.visits).flatMap((visit) =>
      Object.entries(visit.facts).sort(([a], [b]) => (a < b ? -1 : 1)).map(([, fact]) => fact),
    )
  }
}

/** Those of the demo hall's technicians who may be sent to leaks. */
export function crew() {
  return PEOPLE.filter((person) => person.skills?.split(';').includes('抢修员'))
}

/** Somebody of the demo hall's staff with a role. */
export function staff(role, at = 0) {
  return PEOPLE.filter((person) => person.role === role)[at]
}
