// What happens to a phone's store: full, cleared, opened twice, its worker dead, its owner gone.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Phone } from './browser.js'
import { ROOT, opened, place, shows, until } from './ground.js'
import { staff } from './hall.js'
import { goIn, goOut, readMeter } from './visit.js'

const ACCOUNT = '30100005'
const me = staff('技术员')

async function enrolled(t, profile = place(t, 'profile')) {
  const hall = await opened(t)
  const job = await hall.job('meter_reading', me.login, ACCOUNT)
  mkdirSync(profile, { recursive: true })
  const phone = await Phone.open(hall, profile)
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(me)
  await phone.sent()
  return { hall, job, phone }
}

test('of two tabs one works and the other says so, and takes over when the first is closed', async (t) => {
  const { phone, job } = await enrolled(t)
  const first = phone.page
  const second = await phone.context.newPage()
  phone.listen(second)
  await second.goto(`${phone.hall.base}/m/`)
  await second.getByText('已在另一窗口打开').waitFor()
  await phone.job(job)
  await phone.tap('出发')

  await first.close()
  phone.page = second
  await phone.unlock()
  await phone.listed()
  await phone.job(job)
  await phone.tap('已到达')

  assert.deepEqual(phone.problems, [])
})

test('s1 every write of a tap waits for the disk', async (t) => {
  const { phone, job } = await enrolled(t)
  const [worker] = phone.page.workers()
  await worker.evaluate(() => {
    const begin = IDBDatabase.prototype.transaction
    globalThis.begun = []
    IDBDatabase.prototype.transaction = function (...asked) {
      const transaction = begin.apply(this, asked)
      if (transaction.mode === 'readwrite') globalThis.begun.push(transaction.durability)
      return transaction
    }
  })
  await phone.job(job)
  await phone.tap('出发')

  const begun = await worker.evaluate(() => globalThis.begun)
  assert.ok(begun.length > 0)
  assert.deepEqual([...new Set(begun)], ['strict'])
})

test('f3 a full phone says that nothing was saved, and goes on when there is room', async (t) => {
  const disk = join(ROOT, 'small-disk')
  mkdirSync(disk, { recursive: true })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160m', 'tmpfs', disk], { stdio: 'ignore' })
  } catch {
    return t.skip('a small disk needs the right to mount one')
  }
  t.after(() => execFileSync('umount', ['-l', disk]))
  const { phone, job, hall } = await enrolled(t, join(disk, 'profile'))
  await phone.job(job)
  await phone.tap('出发')
  const fill = (left) => {
    const { bavail, bsize } = statfsSync(disk)
    try {
      writeFileSync(join(disk, `filler-${left}`), Buffer.alloc(Math.max(0, bavail * bsize - left)))
    } catch (error) {
      // The browser wrote meanwhile: what room there was is taken all the same.
      if (error.code !== 'ENOSPC') throw error
    }
  }
  fill(65_536)
  fill(0)

  await assert.rejects(async () => {
    for (let line = 0; line < 200; line += 1) {
      await phone.page.getByLabel('写给营业厅').fill(`第 ${line} 条 ${'满'.repeat(400)}`)
      await phone.tap('发送')
    }
  }, /未保存：手机存储(已满|打不开|出错)[^。]*请腾出空间/)
  await phone.page.getByText('出发').first().waitFor()
  for (const name of readdirSync(disk).filter((name) => name.startsWith('filler'))) rmSync(join(disk, name))
  await phone.tap('已到达')
  await phone.sent()

  const types = (await hall.facts(job)).map((fact) => fact.type)
  assert.deepEqual(types, ['set_out', 'arrived'])
})

/** What the phone keeps beside its log under a key, sealed; `act` takes it away, or puts rubbish there. */
const beside = (page, key, act) =>
  page.evaluate(
    async ([key, act]) => {
      const database = await new Promise((resolve) => (indexedDB.open('doorstep').onsuccess = (event) => resolve(event.target.result)))
      const meta = database.transaction('meta', act ? 'readwrite' : 'readonly').objectStore('meta')
      const rubbish = { iv: new Uint8Array(12), data: new Uint8Array(400).buffer }
      const asked = act === 'put' ? meta.put(rubbish, key) : act === 'delete' ? meta.delete(key) : meta.get(key)
      const found = await new Promise((resolve) => (asked.onsuccess = () => resolve(asked.result)))
      database.close()
      return found?.data?.byteLength ?? 0
    },
    [key, act],
  )

test('s10 what documents said is kept for the next start, which shows the same with it, without it and with rubbish in its place', async (t) => {
  const { phone, job } = await enrolled(t)
  await phone.kept()
  await until(() => beside(phone.page, 'said'))
  const starts = async () => {
    await phone.close()
    await phone.launch()
    await phone.context.setOffline(true)
    await phone.visit()
    await phone.unlock()
    await phone.listed()
    return phone.page.locator(`li[data-job="${job}"]`).textContent()
  }
  const before = await starts()
  await phone.job(job)
  await phone.tap('出发')

  const after = await starts()
  await beside(phone.page, 'said', 'put')
  const withRubbish = await starts()
  await beside(phone.page, 'said', 'delete')
  const without = await starts()

  assert.match(before, /已派/)
  assert.match(after, /在途/)
  assert.equal(withRubbish, after)
  assert.equal(without, after)
  assert.deepEqual(phone.problems, [])
})

test('f3 a store that breaks and does not open again is opened by a later tap', async (t) => {
  const { phone, job } = await enrolled(t)
  await phone.job(job)
  await phone.tap('出发')
  await phone.page.workers().at(-1).evaluate(() => {
    const { put, add } = IDBObjectStore.prototype
    const { open } = IDBFactory.prototype
    const full = () => {
      throw new DOMException('IO error: NO_SPACE', 'UnknownError')
    }
    IDBObjectStore.prototype.put = IDBObjectStore.prototype.add = IDBFactory.prototype.open = full
    globalThis.makeRoom = () => {
      Object.assign(IDBObjectStore.prototype, { put, add })
      IDBFactory.prototype.open = open
    }
  })

  await assert.rejects(phone.tap('已到达'), /未保存：手机存储已满/)
  await assert.rejects(phone.tap('已到达'), /未保存：手机存储打不开/)
  await phone.page.workers().at(-1).evaluate(() => globalThis.makeRoom())
  await phone.tap('已到达')

  assert.match(await phone.step(), /门口/)
})

test('f3 a worker that cannot come up again is started by a later tap', async (t) => {
  const hall = await opened(t)
  const job = await hall.job('meter_reading', me.login, ACCOUNT)
  const phone = await Phone.open(hall, place(t, 'profile'), { serviceWorkers: 'block' })
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(me)
  await phone.sent()
  await phone.job(job)
  await phone.tap('出发')
  phone.worker = 'IDBFactory.prototype.open = () => { throw new DOMException("NO_SPACE", "UnknownError") }\n'
  const ends = () => void setTimeout(() => { throw new Error('an end') })
  await Promise.all([phone.page.waitForEvent('worker'), phone.page.workers().at(-1).evaluate(ends)])

  await assert.rejects(phone.tap('已到达'), /未保存：手机存储打不开/)
  await phone.page.getByText('出发').first().waitFor()
  phone.worker = ''
  await phone.tap('已到达')

  assert.match(await phone.step(), /门口/)
})

test('f4 a database that is gone is an alarm, and the phone can be enrolled again', async (t) => {
  const { phone } = await enrolled(t)
  const cdp = await phone.context.newCDPSession(phone.page)
  await phone.page.goto('about:blank')
  await cdp.send('Storage.clearDataForOrigin', { origin: phone.hall.base, storageTypes: 'indexeddb' })
  await phone.visit()

  await phone.page.getByRole('alert').getByText('本机数据不见了').waitFor()
  await phone.enrol(me)
  await phone.sent()
})

test('f4 a database that is cleared under the open app is said at the next tap, and what is in memory reaches the hall', async (t) => {
  const { hall, job, phone } = await enrolled(t)
  await phone.context.setOffline(true)
  await phone.job(job)
  await phone.tap('出发')
  const cdp = await phone.context.newCDPSession(phone.page)
  await cdp.send('Storage.clearDataForOrigin', { origin: hall.base, storageTypes: 'indexeddb' })

  await assert.rejects(phone.tap('已到达'), /本机数据在应用打开时被清除/)
  await assert.rejects(phone.tap('已到达'), /请勿关闭应用/)
  await phone.context.setOffline(false)

  await phone.page.locator('.strip .now:enabled').click()
  const kinds = (page) => Object.values(page.job.visits).flatMap((visit) => Object.values(visit.facts).map((it) => it.type))
  const held = await until(() => hall.jobPage(job).then(kinds), (all) => all.includes('set_out'), 'the hall has it')
  assert.ok(!held.includes('arrived'), 'what was not saved is nowhere')
  await phone.visit()
  await phone.page.getByRole('alert').getByText('本机数据不见了').waitFor()
  assert.deepEqual(phone.problems, [])
})

test('a worker that dies without a word is replaced, and says that the tap was not saved', async (t) => {
  const { phone, job } = await enrolled(t)
  await phone.job(job)
  // What opening the job itself saves is over by then: a button that waits for it could not be tapped.
  await phone.tap('出发')
  await phone.page.workers().at(-1).evaluate(() => self.close()).catch(() => undefined)

  await assert.rejects(phone.tap('已到达'), /最后一次点击未保存/)
  await phone.tap('已到达')

  assert.match(await phone.step(), /门口/)
})

test('s23 logging out waits for what is unsent, or for the rescue file', async (t) => {
  const { phone, job, hall } = await enrolled(t)
  await hall.stop()
  await phone.job(job)
  await phone.tap('出发')
  await phone.page.evaluate(() => (location.hash = '#/phone'))
  const out = phone.page.getByRole('button', { name: '退出并清空本机' })
  await phone.page.getByText('还有 1 项只在本机').waitFor()
  await shows(() => out.isDisabled(), true)

  const [file] = await Promise.all([
    phone.page.waitForEvent('download'),
    phone.page.getByRole('button', { name: '导出救援文件' }).click(),
  ])
  const rescue = JSON.parse(readFileSync(await file.path(), 'utf8'))
  await out.click()

  assert.deepEqual(rescue.changes.map((change) => change.fact.type), ['set_out'])
  await phone.page.getByRole('button', { name: '登记本机' }).waitFor()
  const left = await phone.page.evaluate(async () => {
    const database = await new Promise((resolve) => (indexedDB.open('doorstep').onsuccess = (event) => resolve(event.target.result)))
    const count = (name) => new Promise((resolve) => (database.transaction(name).objectStore(name).count().onsuccess = (event) => resolve(event.target.result)))
    return Promise.all(['log', 'blobs', 'meta'].map(count))
  })
  assert.deepEqual(left, [0, 0, 0], 'nothing is left')
})

test('check_51 nothing of a household is readable in the browser profile', async (t) => {
  const { phone, job, hall } = await enrolled(t)
  const { job: known } = await hall.jobPage(job)
  const { holder, address, phone: number } = known.briefing.household
  await goIn(phone, job)
  await readMeter(phone)
  await goOut(phone, false)
  await phone.page.getByLabel('写给营业厅').fill('门后有人养狗').catch(() => undefined)
  await phone.sent()
  await phone.close()

  const found = (text) => {
    const forms = [Buffer.from(text, 'utf8'), Buffer.from(text, 'utf16le')]
    return files(phone.folder).filter((path) => forms.some((form) => readFileSync(path).includes(form)))
  }
  assert.notEqual(found('doorstep.once').length, 0, 'what is plain is found')
  for (const secret of [holder, address, number, me.password]) assert.deepEqual(found(secret), [], secret)
})

function files(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}
