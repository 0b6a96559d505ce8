'use strict';
// An ESME on node-smpp, for the suite's test of itself: sends each line of a file as a submit_sm and says how many were
// answered and how many receipts came. Arguments: port, file.

const fs = require('fs');
const path = require('path');
const smpp = require(path.join(process.env.NODE_PREFIX, 'node_modules', 'smpp'));

const [port, file] = process.argv.slice(2);
const parts = fs.readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
let answered = 0;
let receipts = 0;

function fields_of(part) {
  const fields = {
    source_addr_ton: 1, source_addr_npi: 1, source_addr: part.source,
    dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: part.dest,
    esm_class: part.esm_class, data_coding: part.data_coding, registered_delivery: 1,
    short_message: part.in_payload ? Buffer.alloc(0) : Buffer.from(part.octets, 'hex'),
  };
  if (part.in_payload) fields.message_payload = Buffer.from(part.octets, 'hex');
  if (part.sar) [fields.sar_msg_ref_num, fields.sar_total_segments, fields.sar_segment_seqnum] = part.sar;
  return fields;
}

function finish() {
  if (answered < parts.length || receipts < parts.length) return;
  console.log(JSON.stringify({ answered, receipts }));
  session.unbind(() => process.exit(0));
}

const session = smpp.connect({ host: '127.0.0.1', port: Number(port) }, () => {
  session.bind_transceiver({ system_id: 'esme', password: 'secret' }, () => {
    for (const part of parts) session.submit_sm(fields_of(part), () => { answered += 1; finish(); });
  });
});
session.on('deliver_sm', (pdu) => { session.send(pdu.response()); receipts += 1; finish(); });
session.on('enquire_link', (pdu) => session.send(pdu.response()));
