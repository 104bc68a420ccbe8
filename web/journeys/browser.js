// A phone's browser: Chromium with a profile of its own, killed and opened again as phones are.

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

export const PIN = '258036'
export const PROGRAM = ['/usr/bin/chromium', '/usr/bin/google-chrome', '/usr/bin/chromium-browser'].find((path) => existsSync(path))
export const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
/** A picture as a camera would hand over. */
export const PICTURE = new URL('../field/public/icon-512.png', import.meta.url).pathname

/** Lets a test set the wall clock of a worker, and nothing else. */
const shifted = (ms = 0) => `{
  const now = Date.now.bind(Date)
  let shift = ${ms}
  Date.now = () => now() + shift
  const channel = new BroadcastChannel('shift')
  channel.onmessage = (event) => (shift = event.data)
}
`

export class Phone {
  /** Opens a browser on a profile folder. */
  static async open(hall, folder, options = {}) {
    const phone = new Phone()
    Object.assign(phone, { hall, folder, options, problems: [] })
    await phone.launch()
    return phone
  }

  async launch() {
    for (const name of existsSync(this.folder) ? readdirSync(this.folder) : []) {
      if (name.startsWith('Singleton')) rmSync(join(this.folder, name), { force: true })
    }
    this.context = await chromium.launchPersistentContext(this.folder, {
      executablePath: PROGRAM,
      viewport: { width: 360, height: 740 },
      hasTouch: true,
      isMobile: true,
      deviceScaleFactor: 2,
      locale: 'zh-CN',
      timezoneId: 'Asia/Shanghai',
      geolocation: { latitude: 31.336, longitude: 118.38, accuracy: 12 },
      permissions: ['geolocation'],
      acceptDownloads: true,
      ...this.options,
      args: [...FLAGS, ...(this.options.args ?? [])],
    })
    // The app's own worker, told another time than the machine's: `shiftClock` says which.
    const comesFromTheHall = this.options.serviceWorkers === 'block'
    if (comesFromTheHall) await this.context.route('**/m/assets/main-*.js', async (route) => {
      const reply = await route.fetch().catch(() => null)
      if (!reply) return route.abort()
      return route.fulfill({ response: reply, body: shifted(this.shift) + (this.worker ?? '') + (await reply.text()) })
    })
    this.page = this.context.pages()[0] ?? (await this.context.newPage())
    this.listen(this.page)
  }

  /** Whatever a page complains of; a test ends with none. */
  listen(page) {
    page.on('pageerror', (error) => this.problems.push(String(error)))
    page.on('console', (message) => {
      const text = message.text(); if (process.env.LOUD) console.log(text)
      const isNetwork = /Failed to load resource|net::ERR|ERR_CONNECTION/.test(text)
      if (message.type() === 'error' && !isNetwork) this.problems.push(text)
    })
  }

  /** SIGKILL, as a system out of memory does it. */
  async kill() {
    const mine = readdirSync('/proc').filter((pid) => {
      if (!/^\d+$/.test(pid)) return false
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        return line.includes(`--user-data-dir=${this.folder}`) && !line.includes('--type=')
      } catch {
        return false
      }
    })
    const closed = new Promise((resolve) => this.context.once('close', resolve))
    for (const pid of mine) execFileSync('kill', ['-9', pid])
    await closed
  }

  /** Sets the clock that the worker sees; needs a phone without a service worker, which would answer for itself. */
  async shiftClock(ms) {
    this.shift = ms
    await this.page.evaluate((ms) => new BroadcastChannel('shift').postMessage(ms), ms)
  }

  async close() {
    await this.context.close()
  }

  /** Opens the app; the path may be an enrolment link. */
  async visit(path = '/m/') {
    await this.page.goto(this.hall.base + path)
  }

  /** Enrols this phone for somebody, and waits until the list is there. */
  async enrol({ login, password }, pin = PIN) {
    const code = await this.hall.code(login)
    // As from the hall's QR code: who and the code; what is secret is typed.
    await this.visit(`/m/#enrol?${new URLSearchParams({ login, code })}`)
    const field = (use) => this.page.locator(`input[autocomplete="${use}"]`)
    await field('current-password').fill(password)
    await field('new-password').first().fill(pin)
    await field('new-password').last().fill(pin)
    await this.page.locator('form button.primary').click()
    await this.listed()
  }

  async listed() {
    await this.page.locator('main.list').waitFor()
  }

  /** Types the PIN. */
  async unlock(pin = PIN) {
    await this.page.locator('.unlock').waitFor()
    for (const digit of pin) await this.page.locator('.keypad button', { hasText: digit }).click()
    await this.page.locator('.unlock button.primary').click()
  }

  /** Waits until the app says that the hall has everything. */
  async sent() {
    const now = this.page.locator('.strip .now:enabled')
    await now.click()
    await now.waitFor()
    await this.page.locator('.strip.held:not(.trouble)').waitFor({ timeout: 20_000 })
  }

  /** Waits until the service worker keeps the whole app. */
  async kept() {
    await this.page.evaluate(async () => {
      await navigator.serviceWorker.ready
      const names = await caches.keys()
      if (!names.length) throw new Error('nothing is kept')
    })
  }

  /** Opens a job from the list. */
  async job(id) {
    await this.page.evaluate((path) => (location.hash = path), `#/job/${id}`)
    await this.page.locator('.head h1').waitFor()
  }

  /** Taps a button by its words and waits for the phone to say that it is saved. */
  async tap(words, where = this.page) {
    await this.saves(() => where.getByRole('button', { name: words }).first().click())
  }

  /** Does something and waits for the phone to say that it is saved; what it refuses is thrown. */
  async saves(task) {
    const told = this.page.locator('.told')
    const before = Number(await told.getAttribute('data-count'))
    await task()
    await this.page.waitForFunction((count) => Number(document.querySelector('.told')?.dataset.count) > count, before)
    const refused = told.locator('.refused')
    if (await refused.isVisible()) throw new Error(await refused.innerText())
  }

  async step() {
    return this.page.locator('.steps .next').innerText()
  }
}
