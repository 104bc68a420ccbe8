// A job's document is a plain Automerge file: the JavaScript library opens it and says what the hall says.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as Automerge from "@automerge/automerge";

const { DOORSTEP_URL, DOORSTEP_LOGIN, DOORSTEP_PASSWORD } = process.env;

async function send(path, { token, body } = {}) {
  const headers = { "content-type": "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  const method = body ? "POST" : "GET";
  const reply = await fetch(DOORSTEP_URL + path, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(reply.ok, `${path}: ${reply.status}`);
  return reply;
}

const session = await send("/api/session", { body: { login: DOORSTEP_LOGIN, password: DOORSTEP_PASSWORD } });
const { token } = await session.json();
const { jobs } = await (await send("/api/jobs?limit=20", { token })).json();

async function open(job) {
  const reply = await send(`/api/jobs/${job}/document`, { token });
  assert.equal(reply.headers.get("content-type"), "application/vnd.automerge");
  return Automerge.load(new Uint8Array(await reply.arrayBuffer()));
}

// Texts that nobody edits letter by letter are immutable strings in the library; as JSON they are plain.
const plain = (doc) => JSON.parse(JSON.stringify(doc));

test("every document opens and says what the hall says", async () => {
  assert.equal(jobs.length, 20);
  for (const job of jobs) {
    const doc = plain(await open(job.id));
    assert.deepEqual([doc.id, doc.kind, doc.created_at], [job.id, job.kind, job.created_at]);
    const { account, holder, address } = doc.briefing.household;
    assert.deepEqual({ id: doc.briefing.household.id, account, holder, address }, job.household);
    const windows = Object.values(doc.plan.appointments).map((it) => it.window);
    assert.deepEqual(windows.at(-1) ?? null, job.window);
    const technicians = Object.values(doc.plan.assignments).map((it) => it.technician);
    assert.equal(technicians.at(-1) ?? null, job.technician);
  }
});

test("what is added at the hall is in the document, with its past", async () => {
  const [{ id }] = jobs;
  const before = await open(id);
  await send(`/api/jobs/${id}/messages`, { token, body: { text: "门口有狗，先打电话" } });

  const after = await open(id);

  assert.deepEqual(Object.values(plain(after).messages).map((it) => it.text), ["门口有狗，先打电话"]);
  assert.deepEqual(Object.keys(plain(before).messages), []);
  assert.equal(Automerge.getAllChanges(after).length, Automerge.getAllChanges(before).length + 1);
  assert.deepEqual(plain(Automerge.view(after, Automerge.getHeads(before))), plain(before));
  const merged = Automerge.merge(before, after);
  assert.deepEqual(Automerge.getHeads(merged), Automerge.getHeads(after));
  const saved = Automerge.load(Automerge.save(after));
  assert.deepEqual(Automerge.getHeads(saved), Automerge.getHeads(after));
});
