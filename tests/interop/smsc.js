'use strict';
// An SM-SC on node-smpp. One JSON argument says how it behaves; it appends what happens to `log`, one JSON line each,
// and takes orders as JSON lines on its standard input:
//   {"deliver": FILE, "window": N}   sends each line of FILE as a deliver_sm over the bound sessions, N at once
//   {"answer": true}                 answers again after `hold_after`
//
// {port, log, receipts: "after" | "before" | "none", receipt_delay_ms, throttle_every, hold_after, hex_ids, echo}
//
// It is durable as a real one: started again on the same log, it sends the receipts that were not answered, and of the
// file to be delivered only the parts that were not taken.

const fs = require('fs');
const path = require('path');
const readline = require('readline');
const smpp = require(path.join(process.env.NODE_PREFIX, 'node_modules', 'smpp'));

// The suite judges octets, so node-smpp must leave text and times as they are on the wire.
smpp.filters.message.decode = (value) => value;
smpp.filters.time.decode = (value) => value;

const options = JSON.parse(process.argv[2]);
const log = fs.openSync(options.log, 'a+');
const TRY_AGAIN_MS = 300;
const sessions = [];
const pending = new Map(); // message_id -> receipt that no deliver_sm_resp has answered
let submits = 0;
let next_id = 1;
let holding = false;
let receipt_turn = 0;
const held = [];
const seen = new Set(); // recipients
const taken = new Set(); // parts that an earlier life delivered

function record(event) {
  fs.writeSync(log, JSON.stringify(event) + '\n');
}

function hex(octets) {
  return Buffer.isBuffer(octets) ? octets.toString('hex') : undefined;
}

// What becomes of a submit: 49172 never gets any, 49173 all but the first segment.
function fails(dest) {
  const first = !seen.has(dest);
  seen.add(dest);
  return dest.startsWith('49172') || (dest.startsWith('49173') && first);
}

function receipt_of(pdu, message_id) {
  const wanted = pdu.registered_delivery & 3;
  const failed = fails(pdu.destination_addr);
  if (options.receipts === 'none' || wanted === 0 || (wanted === 2 && !failed)) return null;
  return { source: pdu.destination_addr, dest: pdu.source_addr, message_id, stat: failed ? 'UNDELIV' : 'DELIVRD' };
}

function receipt_text(receipt) {
  // With hex_ids it is one of those that say the same number in decimal here.
  const id = options.hex_ids ? parseInt(receipt.message_id, 16) : receipt.message_id;
  const text = `id:${id} sub:001 dlvrd:${receipt.stat === 'DELIVRD' ? '001' : '000'}` +
    ` submit date:2611210210 done date:2611210211 stat:${receipt.stat} err:000 text:`;
  return Buffer.from(text, 'latin1');
}

function receipt_fields(receipt) {
  const fields = {
    source_addr_ton: 1, source_addr_npi: 1, source_addr: receipt.source,
    dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: receipt.dest,
    esm_class: 4, data_coding: 0, short_message: receipt_text(receipt),
  };
  // Real ones differ: some say it in TLVs, some only in the text, some in both.
  if (receipt_turn++ % 3 !== 0 && !options.hex_ids) {
    fields.receipted_message_id = receipt.message_id;
    fields.message_state = receipt.stat === 'DELIVRD' ? 2 : 5;
  }
  return fields;
}

function send_receipt(receipt) {
  const session = sessions[receipt_turn % Math.max(1, sessions.length)];
  if (!session) return;
  session.deliver_sm(receipt_fields(receipt), (answer) => {
    if (answer.command_status === smpp.ESME_RX_T_APPN) {
      setTimeout(() => send_receipt(receipt), TRY_AGAIN_MS);
      return;
    }
    pending.delete(receipt.message_id);
    record({ event: 'receipt_resp', message_id: receipt.message_id, status: answer.command_status });
  });
}

function schedule_receipt(receipt) {
  pending.set(receipt.message_id, receipt);
  record({ event: 'receipt', ...receipt });
  setTimeout(() => send_receipt(receipt), options.receipt_delay_ms || 0);
}

function submit_record(pdu, message_id) {
  return {
    event: 'submit', message_id, command: pdu.command, sequence: pdu.sequence_number,
    source: pdu.source_addr, dest: pdu.destination_addr,
    source_ton: pdu.source_addr_ton, source_npi: pdu.source_addr_npi,
    dest_ton: pdu.dest_addr_ton, dest_npi: pdu.dest_addr_npi,
    esm_class: pdu.esm_class, data_coding: pdu.data_coding, registered_delivery: pdu.registered_delivery,
    validity_period: pdu.validity_period, octets: hex(pdu.short_message), payload: hex(pdu.message_payload),
    sar: pdu.sar_total_segments === undefined ? undefined
      : [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum],
  };
}

function on_submit(session, pdu) {
  submits += 1;
  if (options.throttle_every && submits % options.throttle_every === 0) {
    record({ event: 'throttled', dest: pdu.destination_addr });
    session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
    return;
  }
  const number = next_id++;
  const message_id = options.hex_ids ? number.toString(16).toUpperCase() : String(number);
  record(submit_record(pdu, message_id));
  const receipt = receipt_of(pdu, message_id);
  const answer = () => {
    session.send(pdu.response({ message_id }));
    record({ event: 'answered', message_id });
  };
  if (receipt && options.receipts === 'before') {
    schedule_receipt(receipt);
    setTimeout(answer, (options.receipt_delay_ms || 0) + 20);
    return;
  }
  if (holding || (options.hold_after && submits > options.hold_after)) {
    holding = true;
    held.push(answer);
    if (held.length === 1) record({ event: 'holding' });
  } else {
    answer();
  }
  if (receipt) schedule_receipt(receipt);
  if (options.echo) echo(session, pdu);
}

// The short message as it came, back to who sent it.
function echo(session, pdu) {
  const fields = {
    source_addr_ton: 1, source_addr_npi: 1, source_addr: pdu.destination_addr,
    dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: pdu.source_addr,
    esm_class: pdu.esm_class & 0x40, data_coding: pdu.data_coding, short_message: pdu.short_message,
  };
  for (const name of ['message_payload', 'sar_msg_ref_num', 'sar_total_segments', 'sar_segment_seqnum']) {
    if (pdu[name] !== undefined) fields[name] = pdu[name];
  }
  session.deliver_sm(fields);
}

function on_bind(session, pdu) {
  record({ event: 'bind', command: pdu.command, system_id: pdu.system_id });
  session.send(pdu.response({ system_id: 'node', sc_interface_version: 0x34 }));
  session.bound = pdu.command;
  if (pdu.command !== 'bind_transmitter') sessions.push(session);
  for (const receipt of sessions.length === 1 ? pending.values() : []) send_receipt(receipt);
}

function on_session(session) {
  for (const bind of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
    session.on(bind, (pdu) => on_bind(session, pdu));
  }
  for (const submit of ['submit_sm', 'data_sm']) session.on(submit, (pdu) => on_submit(session, pdu));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    record({ event: 'unbind' });
    session.send(pdu.response());
    session.close();
  });
  session.on('generic_nack', (pdu) => record({ event: 'generic_nack', status: pdu.command_status }));
  session.on('unknown', (pdu) => session.send(pdu.response()));
  session.on('error', (error) => record({ event: 'session_error', error: String(error) }));
  session.on('close', () => {
    record({ event: 'close' });
    if (sessions.includes(session)) sessions.splice(sessions.indexOf(session), 1);
  });
}

function deliver_fields(part) {
  const octets = Buffer.from(part.octets, 'hex');
  const fields = {
    source_addr_ton: 1, source_addr_npi: 1, source_addr: part.source,
    dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: part.dest,
    esm_class: part.esm_class, data_coding: part.data_coding,
    short_message: part.in_payload ? Buffer.alloc(0) : octets,
  };
  if (part.in_payload) fields.message_payload = octets;
  if (part.sar) {
    [fields.sar_msg_ref_num, fields.sar_total_segments, fields.sar_segment_seqnum] = part.sar;
  }
  return fields;
}

function deliver(file, window) {
  const lines = fs.readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const parts = lines.map((line) => JSON.parse(line)).filter((part) => !taken.has(`${part.key}/${part.part}`));
  let unanswered = 0;
  let turn = 0;
  const pump = () => {
    while (unanswered < window && parts.length > 0 && sessions.length > 0) {
      const part = parts.shift();
      unanswered += 1;
      sessions[turn++ % sessions.length].deliver_sm(deliver_fields(part), (answer) => {
        record({ event: 'deliver_resp', key: part.key, part: part.part, status: answer.command_status });
        const again = answer.command_status === smpp.ESME_RX_T_APPN;
        if (again) parts.push(part);
        setTimeout(() => { unanswered -= 1; pump(); }, again ? TRY_AGAIN_MS : 0);
      });
    }
  };
  pump();
}

// What an earlier life left open.
for (const line of fs.readFileSync(options.log, 'utf8').split('\n').filter(Boolean)) {
  const event = JSON.parse(line);
  if (event.event === 'submit') { next_id += 1; seen.add(event.dest); }
  if (event.event === 'deliver_resp' && event.status === 0) taken.add(`${event.key}/${event.part}`);
  if (event.event === 'receipt') pending.set(event.message_id, event);
  if (event.event === 'receipt_resp') pending.delete(event.message_id);
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line);
  if (order.deliver) deliver(order.deliver, order.window);
  if (order.answer) {
    holding = false;
    options.hold_after = 0;
    held.splice(0).forEach((answer) => answer());
  }
});

smpp.createServer(on_session).listen(options.port, '127.0.0.1', () => record({ event: 'listening' }));
