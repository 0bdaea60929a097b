// An SMSC of npm's smpp, told what to do by lines of JSON, and telling what it sees as such.
// What it can be told, and what it tells, is written in ../smscs.py.
const fs = require('fs');
const readline = require('readline');
const smpp = require('smpp');

const tls = process.env.SMSC_PEM
  ? {key: fs.readFileSync(process.env.SMSC_PEM), cert: fs.readFileSync(process.env.SMSC_PEM)} : {};
const host = '127.0.0.1';
let port = 0;
let server = null;
let rule = {how: 'ok'};
let password = null;
let ids = 0;
let held = [];
const sessions = new Map();
let numbers = 0;

const tell = (event, more) => process.stdout.write(JSON.stringify({event, ...more}) + '\n');
const hex = (value) => Buffer.isBuffer(value) ? value.toString('hex') : undefined;

function nextId() {
  ids += 1;
  return rule.ids ? rule.ids[(ids - 1) % rule.ids.length] : `${process.env.SMSC_IDS || 'm'}${ids}`;
}

function answer(one, pdu) {
  const how = rule.how === 'some' ? (rule.statuses[ids % rule.statuses.length]) : 0;
  const status = rule.how === 'refuse' ? rule.status : how;
  one.open -= 1;
  if (status) {
    ids += 1;
    one.session.send(pdu.response({command_status: status}));
    return;
  }
  const message_id = nextId();
  one.session.send(pdu.response({message_id}));
  if (rule.how === 'twice') {
    one.session.send(pdu.response({message_id}));
    one.session.send(new smpp.PDU('submit_sm_resp', {message_id, sequence_number: 0x7ffffff0}));
    one.session.send(new smpp.PDU('submit_sm_resp', {message_id, sequence_number: 0}));
  }
}

function submitted(one, pdu) {
  one.open += 1;
  const message = pdu.short_message;
  tell('submit', {
    session: one.number, open: one.open,
    source: [pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr],
    destination: [pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr],
    text: message.message, udh: (message.udh || []).map(hex),
    data_coding: pdu.data_coding, esm_class: pdu.esm_class,
    registered: pdu.registered_delivery, validity: pdu.validity_period,
  });
  if (rule.how === 'never') return;
  if (rule.how === 'drop') {
    one.session.destroy();
  } else if (rule.how === 'hold') {
    held.push([one, pdu]);
    if (held.length >= rule.until) {
      // The last one first: answers may come in any order.
      held.reverse().forEach(([other, that]) => answer(other, that));
      held = [];
    }
  } else if (rule.how === 'late') {
    setTimeout(() => answer(one, pdu), rule.after);
  } else {
    answer(one, pdu);
  }
}

function accept(session) {
  const one = {session, number: ++numbers, open: 0};
  sessions.set(one.number, one);
  session.on('bind_transceiver', (pdu) => {
    if (password !== null && pdu.password !== password) {
      tell('denied', {system_id: pdu.system_id});
      session.send(pdu.response({command_status: smpp.ESME_RINVPASWD}));
      return;
    }
    session.send(pdu.response({system_id: 'npm'}));
    tell('bound', {session: one.number, system_id: pdu.system_id, version: pdu.interface_version});
  });
  session.on('submit_sm', (pdu) => submitted(one, pdu));
  session.on('enquire_link', (pdu) => { tell('enquired'); session.send(pdu.response()); });
  session.on('unbind', (pdu) => {
    tell('unbound', {session: one.number, open: one.open});
    session.send(pdu.response());
    session.close();
  });
  session.on('close', () => { sessions.delete(one.number); tell('closed', {session: one.number}); });
  session.on('error', () => {});
}

function listen(at) {
  server = smpp.createServer(tls, accept);
  server.listen(at, host, () => { port = server.address().port; tell('listening', {port}); });
}

const orders = {
  answer: (order) => { rule = order; },
  password: (order) => { password = order.is; },
  alphabet: (order) => { smpp.encodings.default = order.is; },
  deliver: (order) => {
    const fields = {...order.fields, short_message: Buffer.from(order.hex || '', 'hex')};
    if (order.payload) fields.message_payload = Buffer.from(order.payload, 'hex');
    const [one] = sessions.values();
    one.session.deliver_sm(fields, (pdu) => tell('acknowledged', {status: pdu.command_status}));
  },
  enquire: () => {
    const [one] = sessions.values();
    one.session.enquire_link((pdu) => tell('here', {status: pdu.command_status}));
  },
  unbind: () => {
    for (const one of sessions.values()) one.session.unbind(() => one.session.close());
  },
  raw: (order) => {
    const [one] = sessions.values();
    one.session.socket.write(Buffer.from(order.hex, 'hex'));
  },
  away: () => {
    server.close();
    for (const one of sessions.values()) one.session.destroy();
    tell('away');
  },
  back: () => listen(port),
};

readline.createInterface({input: process.stdin})
  .on('line', (line) => { const order = JSON.parse(line); orders[order.do](order); tell('done'); })
  .on('close', () => process.exit(0));
listen(Number(process.env.SMSC_PORT || 0));
