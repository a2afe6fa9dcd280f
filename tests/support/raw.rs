//! gRPC by bytes: what no generated client would send.

use bytes::{Buf as _, BufMut as _, Bytes};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::Channel,
};

/// Sends bytes as the only message of a call of any method, and gives the bytes of the first answer.
///
/// # Errors
/// With the refusal.
pub async fn call(channel: Channel, path: &str, request: Request<Bytes>) -> Result<Bytes, Status> {
    // Larger than any service accepts: what is too large must be refused there, not here.
    let mut grpc = Grpc::new(channel).max_encoding_message_size(usize::MAX);
    grpc.ready()
        .await
        .unwrap_or_else(|error| panic!("no connection: {error}"));
    let path = PathAndQuery::try_from(path).expect("a path");
    let mut answers = grpc
        .server_streaming(request, path, ByteCodec)
        .await?
        .into_inner();
    Ok(answers.message().await?.unwrap_or_default())
}

#[derive(Clone, Copy, Debug)]
struct ByteCodec;

impl Codec for ByteCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for ByteCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for ByteCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let left = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(left)))
    }
}
