//! What is said with a question.

use crate::object::{Id, Principal};

/// What is said with a question. What is in the model is not asked for here: whether an app is released, who is active.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// Whether she showed a second factor in this session. `None`: she would, if she has set one up.
    pub second_factor: Option<bool>,
    /// The app that a query of a resource comes from. Whether she may run it is found out.
    pub via_app: Option<Id>,
    /// The user who approves, too.
    pub second_approver: Option<Id>,
    /// To whom she wants to grant something.
    pub beneficiary: Option<Beneficiary>,
    /// The access that is reviewed.
    pub review: Option<Review>,
}

/// Who is to be granted something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beneficiary {
    /// A user.
    User(Id),
    /// A service account.
    ServiceAccount(Id),
    /// A group.
    Group(Id),
}

/// Access that is reviewed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Review {
    /// The user whose access it is; `None` if it is not a user's.
    pub subject: Option<Id>,
    /// The user who granted it; `None` if nobody knows or it was not a user.
    pub grantor: Option<Id>,
}

impl Circumstances {
    /// Whether a guardrail can tell this principal from all others, because the question names her.
    pub(crate) fn names(&self, principal: &Principal) -> bool {
        let beneficiary = match (&self.beneficiary, principal) {
            (Some(Beneficiary::User(named)), Principal::User(id)) => named == id,
            (Some(Beneficiary::ServiceAccount(named)), Principal::ServiceAccount(id)) => named == id,
            _ => false,
        };
        let Principal::User(id) = principal else { return beneficiary };
        let review = self.review.as_ref();
        let others =
            [&self.second_approver, &review.and_then(|it| it.subject.clone()), &review.and_then(|it| it.grantor.clone())]
                .into_iter()
                .any(|named| named.as_ref() == Some(id));
        beneficiary || others
    }
}
