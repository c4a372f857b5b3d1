use zeroize::ZeroizeOnDrop;

/// 256 secret bits. Neither printed, copied nor serialised; wiped when dropped.
#[derive(ZeroizeOnDrop)]
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// Takes the bytes over. The caller wipes any copy of its own.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A fresh random key.
    #[must_use]
    pub fn random(random: &entente_world::Random) -> Self {
        Self(random.bytes())
    }

    /// The bytes, for as long as a cipher needs them.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}
