// A desk at the hall: a browser with somebody of the staff signed in to the console.

import { chromium } from 'playwright-core'
import { FLAGS, PROGRAM } from './browser.js'

export class Desk {
  /** Opens the console and signs somebody in. */
  static async open(hall, person, options) {
    const desk = await new Desk().start(hall, options)
    await desk.page.locator('input[autocomplete="username"]').fill(person.login)
    await desk.page.locator('input[type="password"]').fill(person.password)
    await desk.page.locator('button.primary').click()
    await desk.page.locator('header.top').waitFor()
    await desk.page.locator('main').waitFor()
    return desk
  }

  /** Opens the console at its door. */
  async start(hall, { args = [], profile, ...options } = {}) {
    this.hall = hall
    this.problems = []
    const program = { executablePath: PROGRAM, args: [...FLAGS, ...args] }
    const page = { viewport: { width: 1440, height: 900 }, locale: 'zh-CN', timezoneId: 'Asia/Shanghai', ...options }
    if (profile) {
      // A profile of its own: what else opens pages in this browser shares the session.
      this.browser = await chromium.launchPersistentContext(profile, { ...program, ...page })
      this.page = await this.browser.newPage()
    } else {
      this.browser = await chromium.launch(program)
      this.page = await (await this.browser.newContext(page)).newPage()
    }
    this.page.on('pageerror', (error) => this.problems.push(String(error)))
    this.page.on('console', (message) => {
      const isNetwork = /Failed to load resource|net::ERR|ERR_CONNECTION/.test(message.text())
      if (message.type() === 'error' && !isNetwork) this.problems.push(message.text())
    })
    await this.page.goto(`${hall.base}/c/`)
    return this
  }

  async go(path) {
    await this.page.evaluate((path) => (location.hash = path), path)
  }

  /** Searches as from the head of each screen. */
  async find(words) {
    const form = this.page.locator('header form[role="search"]')
    await form.locator('input').fill(words)
    await form.locator('button').click()
  }

  bar(job) {
    return this.page.locator(`[data-bar="${job}"]`)
  }

  card(job) {
    return this.page.locator(`[data-card="${job}"]`)
  }

  row(technician) {
    return this.page.locator(`[data-drop="${technician}"]`)
  }

  /** A job in somebody's row. */
  barIn(technician, job) {
    return this.row(technician).locator(`[data-bar="${job}"]`)
  }

  /** Takes hold of something and stops over something else, without letting go. */
  async drag(what, onto) {
    await what.scrollIntoViewIfNeeded()
    const from = await what.boundingBox()
    await this.page.mouse.move(from.x + 8, from.y + 8)
    await this.page.mouse.down()
    const to = await onto.boundingBox()
    await this.page.mouse.move(to.x + 60, to.y + 20, { steps: 6 })
  }

  async close() {
    await this.browser.close()
  }
}
