//! Session states and what the SM-SC may send in each (SMPP 3.4 2.2, 2.3).

use crate::wire::smpp::CommandId;

/// A session's state, by the names of SMPP 3.4 2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Connected, not bound.
    Open,
    /// Bound as a transmitter.
    BoundTx,
    /// Bound as a receiver.
    BoundRx,
    /// Bound as a transceiver.
    BoundTrx,
    /// One side has sent unbind; the connection is about to close.
    Unbound,
    /// Not connected.
    Closed,
}

/// Which bind request an ESME sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindType {
    /// bind_transmitter: submits only.
    Transmitter,
    /// bind_receiver: receives only.
    Receiver,
    /// bind_transceiver: both.
    Transceiver,
}

impl BindType {
    /// The request.
    #[must_use]
    pub const fn command_id(self) -> CommandId {
        match self {
            BindType::Transmitter => CommandId::BIND_TRANSMITTER,
            BindType::Receiver => CommandId::BIND_RECEIVER,
            BindType::Transceiver => CommandId::BIND_TRANSCEIVER,
        }
    }

    /// The state once the SM-SC has accepted.
    #[must_use]
    pub const fn bound(self) -> State {
        match self {
            BindType::Transmitter => State::BoundTx,
            BindType::Receiver => State::BoundRx,
            BindType::Transceiver => State::BoundTrx,
        }
    }
}

const BOUND: &[State] = &[State::BoundTx, State::BoundRx, State::BoundTrx];
const RECEIVING: &[State] = &[State::BoundRx, State::BoundTrx];
const CONNECTED: &[State] = &[State::Open, State::BoundTx, State::BoundRx, State::BoundTrx, State::Unbound];

/// Requests of the SM-SC and the states that admit them (Table 2-1). Both sides may find themselves unbinding at once,
/// and enquire_link is tolerated whenever there is a connection.
pub const ADMITTED: &[(CommandId, &[State])] = &[
    (CommandId::OUTBIND, &[State::Open]),
    (CommandId::DELIVER_SM, RECEIVING),
    (CommandId::DATA_SM, RECEIVING),
    (CommandId::ALERT_NOTIFICATION, RECEIVING),
    (CommandId::UNBIND, &[State::BoundTx, State::BoundRx, State::BoundTrx, State::Unbound]),
    (CommandId::ENQUIRE_LINK, CONNECTED),
];

impl State {
    /// Whether the SM-SC may send this request now. Requests that only an ESME sends are never admitted.
    #[must_use]
    pub fn admits(self, command_id: CommandId) -> bool {
        ADMITTED.iter().any(|(id, states)| *id == command_id && states.contains(&self))
    }

    /// Whether a bind was accepted and is in force.
    #[must_use]
    pub fn is_bound(self) -> bool {
        BOUND.contains(&self)
    }

    /// Whether we may submit.
    #[must_use]
    pub const fn may_submit(self) -> bool {
        matches!(self, State::BoundTx | State::BoundTrx)
    }
}
