//! The numbers by which the system and the reactor speak about a registration.
//!
//! A token is a slot and the slot's generation. A slot that is given back changes its generation at once, so an event
//! that the system had handed out before (a stale one) finds nobody, also where the descriptor's number has a new owner
//! by then (wasmer issue 6608). The slot itself rests until the turn that may hold such events is over.
//!
//! The generation may wrap (on 64-bit systems after 2^32 re-uses of one slot): a stale event lives for one turn only and
//! its slot rests for that turn, so the two cannot meet.

/// Bits of a token that name the slot; the others are its generation.
const SLOT_BITS: u32 = if usize::BITS >= 64 { 32 } else { 20 };

/// Slots there can be at once. The top one stays free, so that no token is all ones (see [`Token::NOTIFY`]).
const SLOTS: usize = (1 << SLOT_BITS) - 1;

/// Names a registration towards the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token(usize);

impl Token {
    /// The reactor's own: somebody called `notify`.
    pub const NOTIFY: Self = Self(usize::MAX);

    /// As a number for the system to keep.
    pub fn to_usize(self) -> usize {
        self.0
    }

    /// As the system gave it back.
    pub fn from_usize(key: usize) -> Self {
        Self(key)
    }

    fn new(slot: usize, generation: usize) -> Self {
        Self(generation << SLOT_BITS | slot)
    }

    fn slot(self) -> usize {
        self.0 & SLOTS
    }

    fn generation(self) -> usize {
        self.0 >> SLOT_BITS
    }
}

/// Values by token.
#[derive(Debug)]
pub struct Tokens<T> {
    slots: Vec<Slot<T>>,
    free: Vec<usize>,
    resting: Vec<usize>,
    live: usize,
}

#[derive(Debug)]
struct Slot<T> {
    generation: usize,
    value: Option<T>,
}

impl<T> Tokens<T> {
    /// No values.
    pub const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), resting: Vec::new(), live: 0 }
    }

    /// Keeps a value; `None` if every slot is taken.
    pub fn insert(&mut self, value: T) -> Option<Token> {
        let at = match self.free.pop() {
            Some(at) => at,
            None if self.slots.len() < SLOTS => {
                self.slots.push(Slot { generation: 0, value: None });
                self.slots.len() - 1
            }
            None => return None,
        };
        self.slots[at].value = Some(value);
        self.live += 1;
        Some(Token::new(at, self.slots[at].generation))
    }

    /// The value of a token, unless the token is stale.
    pub fn get(&self, token: Token) -> Option<&T> {
        let slot = self.slots.get(token.slot())?;
        if slot.generation == token.generation() { slot.value.as_ref() } else { None }
    }

    /// Gives a token back: it is stale from now on, and its slot rests.
    pub fn retire(&mut self, token: Token) -> Option<T> {
        let at = token.slot();
        let slot = self.slots.get_mut(at).filter(|s| s.generation == token.generation())?;
        let value = slot.value.take()?;
        slot.generation = Token::new(0, slot.generation.wrapping_add(1)).generation();
        self.live -= 1;
        self.resting.push(at);
        Some(value)
    }

    /// A turn is over: no event of it is left, so the resting slots can be used again.
    pub fn end_turn(&mut self) {
        self.free.append(&mut self.resting);
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Every value.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|s| s.value.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_token_finds_nobody_even_in_a_slot_that_is_used_again() {
        let mut tokens = Tokens::new();
        let first = tokens.insert('a').unwrap();
        assert_eq!(tokens.retire(first), Some('a'));
        assert_eq!(tokens.retire(first), None);
        tokens.end_turn();
        let second = tokens.insert('b').unwrap();
        assert_eq!(first.slot(), second.slot());
        assert_eq!(tokens.get(first), None);
        assert_eq!(tokens.get(second), Some(&'b'));
    }

    #[test]
    fn a_slot_rests_until_the_turn_is_over() {
        let mut tokens = Tokens::new();
        let first = tokens.insert('a').unwrap();
        tokens.retire(first);
        assert_ne!(tokens.insert('b').unwrap().slot(), first.slot());
        tokens.end_turn();
        assert_eq!(tokens.insert('c').unwrap().slot(), first.slot());
        assert_eq!(tokens.len(), 2);
    }

    #[test]
    fn a_generation_wraps_without_touching_the_slot() {
        let mut tokens = Tokens::new();
        let token = tokens.insert('a').unwrap();
        tokens.slots[token.slot()].generation = usize::MAX >> SLOT_BITS;
        let last = Token::new(token.slot(), usize::MAX >> SLOT_BITS);
        assert_eq!(tokens.retire(last), Some('a'));
        tokens.end_turn();
        assert_eq!(tokens.insert('b').unwrap(), Token::new(token.slot(), 0));
        assert_ne!(last, Token::NOTIFY);
    }
}
