//! What a message_state becomes: the value half of Table 3, and IWF V3.0 6.2.3 and 6.2.4 on who is told what.

use crate::interwork::cite::IWF_V3;
use crate::interwork::table::ValueMap;
use crate::policy::{DeliveryAnswer, InterworkingAnswer, Policy, StateAnswer};
use crate::wire::cpim::Dispositions;
use crate::wire::cpim::imdn::Status;
use crate::wire::smpp::MessageState;

const fn answer(delivery: DeliveryAnswer, interworking: InterworkingAnswer) -> StateAnswer {
    StateAnswer { delivery, interworking }
}

/// Table 3, `<delivery-notification>` and `<interworking-notification>`: "e.g.", so the rest is policy.
#[rustfmt::skip]
pub const MESSAGE_STATE_TO_STATUS: ValueMap<MessageState, StateAnswer> = ValueMap { cite: IWF_V3.table("6.2.2.1.2", 3), rows: &[
    //                         <delivery-notification>            <interworking-notification>
    (MessageState::DELIVERED, answer(DeliveryAnswer::Delivered,  InterworkingAnswer::LegacySms)),
    (MessageState::REJECTED,  answer(DeliveryAnswer::Forbidden,  InterworkingAnswer::Error)),
    (MessageState::UNKNOWN,   answer(DeliveryAnswer::Error,      InterworkingAnswer::Error)),
] };

/// A state of SMPP 5.0 that SM-SCs of 3.4 report as well.
const SCHEDULED: MessageState = MessageState(0);

/// Both answers for a state: Table 3, or policy.
#[must_use]
pub fn status_of(state: MessageState, policy: &Policy) -> StateAnswer {
    let other = &policy.reports.other_states;
    MESSAGE_STATE_TO_STATUS.get(state).unwrap_or(match state {
        MessageState::ENROUTE | SCHEDULED => other.enroute,
        MessageState::EXPIRED => other.expired,
        MessageState::DELETED => other.deleted,
        MessageState::UNDELIVERABLE => other.undeliverable,
        MessageState::ACCEPTED => other.accepted,
        _ => other.reserved,
    })
}

/// Everything that one final state sets off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// A `<delivery-notification>` with this status.
    pub delivery: Option<Status>,
    /// An `<interworking-notification>` with this status.
    pub interworking: Option<Status>,
    /// A `<failed-iw>` event to the Participating Function.
    pub failed_iw: bool,
}

/// 6.2.2.1.2 step 2 (only what was requested), 6.2.3 1) and 2), 6.2.4 1).
#[must_use]
pub fn outcome(state: MessageState, requested: Dispositions, policy: &Policy) -> Outcome {
    let StateAnswer { delivery, interworking } = status_of(state, policy);
    let requested = if policy.switches.disposition_notifications { requested } else { Dispositions::NONE };
    let negative = requested.negative_delivery && policy.reports.negative_delivery;
    let failed = !matches!(delivery, DeliveryAnswer::None | DeliveryAnswer::Delivered);
    let wanted = if failed { negative } else { requested.positive_delivery };
    Outcome {
        delivery: delivery_status(delivery).filter(|_| wanted),
        interworking: interworking_status(interworking).filter(|_| requested.interworking),
        failed_iw: failed && !negative,
    }
}

const fn delivery_status(answer: DeliveryAnswer) -> Option<Status> {
    match answer {
        DeliveryAnswer::None => None,
        DeliveryAnswer::Delivered => Some(Status::Delivered),
        DeliveryAnswer::Failed => Some(Status::Failed),
        DeliveryAnswer::Forbidden => Some(Status::Forbidden),
        DeliveryAnswer::Error => Some(Status::Error),
    }
}

const fn interworking_status(answer: InterworkingAnswer) -> Option<Status> {
    match answer {
        InterworkingAnswer::None => None,
        InterworkingAnswer::LegacySms => Some(Status::LegacySms),
        InterworkingAnswer::Error => Some(Status::Error),
    }
}
