// Visits as a thumb walks them: one function a kind, nothing but taps.

import { PICTURE } from './browser.js'

const DIGITS = '.keypad button'

/** From the list to the open door: phone ahead, on the way, arrived, both checklists answered. */
export async function goIn(phone, job) {
  await phone.job(job)
  if (await phone.page.getByRole('button', { name: '已接通' }).isVisible()) await phone.tap('已接通')
  await phone.tap('出发')
  await phone.tap('已到达')
  await conduct(phone, '门口')
  await conduct(phone, '入户前')
}

/** One checklist, all as it should be: one tap. */
export async function conduct(phone, step) {
  await phone.page.locator('.steps .next', { hasText: step }).waitFor()
  await phone.tap('全部做到')
  await phone.page.locator('.steps .next', { hasText: step }).waitFor({ state: 'detached' })
}

/** The last checklist, the signature where it is asked for, and done. */
export async function goOut(phone, signs = true) {
  await conduct(phone, '离开前')
  if (signs) await sign(phone)
  await phone.tap('完成上门')
  await phone.page.locator('.head .status.done').waitFor()
}

export async function type(phone, text) {
  for (const digit of text) await phone.page.locator(DIGITS, { hasText: digit === '.' ? /^\.$/ : digit }).first().click()
}

/** Reads the meter at its usual use: the last register and a little more. */
export async function readMeter(phone, more = 40) {
  await phone.page.locator('.reading').first().waitFor()
  const last = phone.page.locator('.reading .last')
  // A meter just put in has no past.
  const register = (await last.count()) ? Number(/([\d.]+) m³/.exec(await last.first().innerText())[1]) : 0
  await type(phone, (register + more).toFixed(1))
  await phone.tap('保存读数')
  if (await phone.page.getByRole('button', { name: '已告知用户' }).isVisible()) {
    await phone.tap('已告知用户')
    await phone.tap('查漏')
  }
}

export async function photo(phone, where = phone.page) {
  await phone.saves(() => where.locator('input[type=file]').first().setInputFiles(PICTURE))
  await phone.page.locator('.thumb').first().waitFor({ state: 'attached' })
}

export async function sign(phone) {
  const pad = phone.page.locator('canvas.pad')
  await pad.waitFor()
  await pad.scrollIntoViewIfNeeded()
  const box = await pad.boundingBox()
  const { mouse } = phone.page
  await mouse.move(box.x + 30, box.y + 60)
  await mouse.down()
  await mouse.move(box.x + 120, box.y + 100, { steps: 6 })
  await mouse.move(box.x + 200, box.y + 40, { steps: 6 })
  await mouse.up()
  await phone.tap('确认签名')
  await pad.waitFor({ state: 'detached' })
}

const tight = (phone) => phone.tap('合格，不漏')

/** What each kind needs between the doors. */
export const WORK = {
  meter_reading: (phone) => readMeter(phone),
  safety_inspection: async (phone) => {
    await phone.page.locator('select').first().selectOption('hose_overdue')
    await phone.page.getByLabel('位置和情况').fill('灶后软管发硬')
    await phone.tap('保存')
    await phone.saves(() => phone.page.locator('.hazard input[type=file]').first().setInputFiles(PICTURE))
    await phone.page.locator('.hazard').getByText('通知书已签收').waitFor()
    await tight(phone)
    await photo(phone)
  },
  hose_replacement: async (phone) => {
    await phone.page.getByLabel('长度').fill('1500')
    await phone.tap('保存换管')
    await tight(phone)
    await photo(phone)
  },
  ignition: async (phone) => {
    await readMeter(phone)
    await tight(phone)
    await phone.page.getByLabel('合同编号').fill('HT-2026-0412')
    await phone.tap('用户已签合同')
    await phone.tap('已通气')
  },
  unsealing: async (phone) => {
    await readMeter(phone)
    await tight(phone)
    await phone.tap('已通气')
  },
  sealing: async (phone) => {
    await readMeter(phone)
    await phone.tap('已停气')
  },
  gas_stop: async (phone) => {
    await readMeter(phone)
    await phone.tap('已停气')
  },
  cash_collection: async (phone) => {
    await phone.page.getByLabel('金额').fill('86.50')
    const why = phone.page.getByLabel('为何收现金')
    if (await why.isVisible()) await why.fill('网络缴费停用')
    await phone.tap('已收款并开收据')
  },
  repair: tight,
  emergency: tight,
}

/** Kinds whose pack asks for no signature. */
export const UNSIGNED = ['meter_reading', 'emergency']
