//! CBOR forms of types that are not ours: ids as 16 bytes, hashes as 32, instants as milliseconds.

use automerge::ChangeHash;
use domain::id::{DeviceId, HallId, JobId, UserId};
use domain::pack::PackId;
use domain::stamp::{Anchor, BootId, Timestamp};
use minicbor::decode::Error as DecodeError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decoder, Encoder};
use uuid::Uuid;

/// A type with a form on the wire.
pub trait Wire: Sized {
    /// Writes the value.
    fn write<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), EncodeError<W::Error>>;

    /// Reads a value.
    fn read(d: &mut Decoder<'_>) -> Result<Self, DecodeError>;
}

/// Writes a field; named by `#[cbor(with = "codec")]`.
pub fn encode<C, T: Wire, W: Write>(
    value: &T,
    e: &mut Encoder<W>,
    _ctx: &mut C,
) -> Result<(), EncodeError<W::Error>> {
    value.write(e)
}

/// Reads a field; named by `#[cbor(with = "codec")]`.
pub fn decode<C, T: Wire>(d: &mut Decoder<'_>, _ctx: &mut C) -> Result<T, DecodeError> {
    T::read(d)
}

macro_rules! ids {
    ($($name:ident)*) => {$(
        impl Wire for $name {
            fn write<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), EncodeError<W::Error>> {
                e.bytes(self.0.as_bytes())?.ok()
            }

            fn read(d: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                array(d).map(|bytes| Self(Uuid::from_bytes(bytes)))
            }
        }
    )*};
}

ids! { DeviceId HallId JobId UserId }

impl Wire for Uuid {
    fn write<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), EncodeError<W::Error>> {
        e.bytes(self.as_bytes())?.ok()
    }

    fn read(d: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        array(d).map(Self::from_bytes)
    }
}

impl Wire for ChangeHash {
    fn write<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), EncodeError<W::Error>> {
        e.bytes(&self.0)?.ok()
    }

    fn read(d: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        array(d).map(Self)
    }
}

impl Wire for BootId {
    fn write<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), EncodeError<W::Error>> {
        e.u32(self.0)?.ok()
    }

    fn read(d: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        d.u32().map(Self)
    }
}

impl Wire for PackId {
    fn write<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), EncodeError<W::Error>> {
        e.str(&self.0)?.ok()
    }

    fn read(d: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        d.str().map(|text| Self(text.to_owned()))
    }
}

impl Wire for Timestamp {
    fn write<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), EncodeError<W::Error>> {
        e.i64(self.timestamp_millis())?.ok()
    }

    fn read(d: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let ms = d.i64()?;
        Self::from_timestamp_millis(ms).ok_or_else(|| DecodeError::message("no such instant"))
    }
}

impl Wire for Anchor {
    fn write<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), EncodeError<W::Error>> {
        e.array(4)?;
        self.boot.write(e)?;
        e.i64(self.mono_ms)?;
        self.server_at.write(e)?;
        e.i64(self.round_trip_ms)?.ok()
    }

    fn read(d: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let items = d.array()?.filter(|items| *items >= 4);
        let items = items.ok_or_else(|| DecodeError::message("an anchor has four items"))?;
        let anchor = Self {
            boot: BootId::read(d)?,
            mono_ms: d.i64()?,
            server_at: Timestamp::read(d)?,
            round_trip_ms: d.i64()?,
        };
        for _ in 4..items {
            d.skip()?;
        }
        Ok(anchor)
    }
}

impl<T: Wire> Wire for Option<T> {
    fn write<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), EncodeError<W::Error>> {
        match self {
            Some(value) => value.write(e),
            None => e.null()?.ok(),
        }
    }

    fn read(d: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        if d.datatype()? == minicbor::data::Type::Null {
            d.null()?;
            return Ok(None);
        }
        T::read(d).map(Some)
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn write<W: Write>(&self, e: &mut Encoder<W>) -> Result<(), EncodeError<W::Error>> {
        e.array(self.len() as u64)?;
        self.iter().try_for_each(|item| item.write(e))
    }

    fn read(d: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        // The claimed length is not trusted with memory.
        let items = d.array()?.ok_or_else(|| DecodeError::message("a list says its length"))?;
        let mut read = Self::new();
        for _ in 0..items {
            read.push(T::read(d)?);
        }
        Ok(read)
    }
}

fn array<const N: usize>(d: &mut Decoder<'_>) -> Result<[u8; N], DecodeError> {
    d.bytes()?.try_into().map_err(|_| DecodeError::message("bytes of another length"))
}
