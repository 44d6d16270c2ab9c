//! The cluster: who leads which partition, and a connection to each leader.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use follow::{Answer, Chance, Verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::batch::{Records, partition};
use super::protocol::{Api, Garbled, Reader, Request, error_name};
use super::{KafkaSettings, sasl};
use crate::net::NetError;
use crate::socket::{Connector, Pulse, Socket, feel};

/// So long may an answer take; the brokers are told to wait less for each other.
const PATIENCE: Duration = Duration::from_secs(30);
const REPLICAS_WITHIN_MS: i32 = 20_000;
/// A longer answer is none that we asked for.
const ANSWER_BYTES_MAX: i32 = 16 << 20;

/// Why a batch is not known to be there.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClusterError {
    #[error(transparent)]
    Net(#[from] NetError),
    #[error("the connection to {0} broke: {1}")]
    Broken(String, std::io::Error),
    #[error("{name} did not answer within {} s", PATIENCE.as_secs())]
    Late { name: String },
    #[error("{0}: {1}")]
    Garbled(String, Garbled),
    #[error("{0}")]
    Told(String),
}

/// One topic of one cluster.
pub(super) struct Cluster {
    settings: KafkaSettings,
    connector: Connector,
    chance: Arc<dyn Chance>,
    known: Option<Known>,
}

/// What the cluster said of itself; forgotten at every failure.
#[derive(Default)]
struct Known {
    brokers: BTreeMap<i32, (String, u16)>,
    /// The leader of each partition; none while there is an election.
    leaders: BTreeMap<i32, Option<i32>>,
    connections: BTreeMap<i32, Connection>,
}

/// A connection to a broker, known to be who we are.
pub(super) struct Connection {
    socket: Socket,
    name: String,
    correlation: i32,
}

impl Cluster {
    pub(super) fn new(settings: KafkaSettings, connector: Connector, chance: Arc<dyn Chance>) -> Cluster {
        Cluster { settings, connector, chance, known: None }
    }

    /// Sends a batch, and waits until all replicas have it.
    pub(super) async fn produce(&mut self, records: &Records) -> Answer {
        // Taken out: what is given up on the way, or fails, leaves no connection behind on which an answer is still to come.
        let mut known = self.known.take();
        match self.try_to_produce(&mut known, records).await {
            Ok(answer) => {
                if answer.verdict == Verdict::Delivered {
                    self.known = known;
                }
                answer
            }
            Err(e) => Answer::retry(e.to_string()),
        }
    }

    async fn try_to_produce(&self, known: &mut Option<Known>, records: &Records) -> Result<Answer, ClusterError> {
        let known = match known {
            Some(known) => known,
            None => known.insert(self.look().await?),
        };
        let topic = &self.settings.topic.0;
        let partitions = i32::try_from(known.leaders.len()).unwrap_or(i32::MAX);
        let partition = partition(&records.key, partitions);
        let Some(&Some(leader)) = known.leaders.get(&partition) else {
            return Err(ClusterError::Told(format!("partition {partition} of topic {topic} has no leader now")));
        };
        let (host, port) = known.brokers.get(&leader).ok_or_else(|| {
            ClusterError::Told(format!(
                "the cluster does not say where broker {leader} is, which leads partition {partition}"
            ))
        })?;
        let kept = match known.connections.remove(&leader) {
            Some(mut kept) => matches!(feel(&mut kept.socket).await, Pulse::Alive).then_some(kept),
            None => None,
        };
        let mut connection = match kept {
            Some(kept) => kept,
            None => self.connect(host, *port).await?,
        };
        let mut request = connection.request(Api::Produce);
        request.no_string().i16(-1).i32(REPLICAS_WITHIN_MS);
        request.i32(1).string(topic).i32(1).i32(partition).bytes(&records.bytes);
        let answer = connection.ask(request).await?;
        let (code, offset) = produced(&answer).map_err(|e| ClusterError::Garbled(connection.name.clone(), e))?;
        let name = connection.name.clone();
        known.connections.insert(leader, connection);
        let count = records.count;
        Ok(match code {
            0 => Answer::delivered(format!(
                "{count} records in topic {topic}, partition {partition}, from offset {offset}; all replicas"
            )),
            _ => Answer::new(
                verdict(code),
                format!("{name}: {} for {count} records, partition {partition} of topic {topic}", error_name(code)),
            ),
        })
    }

    /// Asks the brokers that were set, one after the other, for all that must be known.
    async fn look(&self) -> Result<Known, ClusterError> {
        let mut last = ClusterError::Told("no broker is set".to_owned());
        for (host, port) in &self.settings.brokers.0 {
            match self.look_at(host.as_str(), *port).await {
                Ok(known) => return Ok(known),
                Err(e) => last = e,
            }
        }
        Err(last)
    }

    async fn look_at(&self, host: &str, port: u16) -> Result<Known, ClusterError> {
        let topic = &self.settings.topic.0;
        let mut connection = self.connect(host, port).await?;
        let mut request = connection.request(Api::Metadata);
        request.i32(1).string(topic).bool(self.settings.create_topic);
        let answer = connection.ask(request).await?;
        let (known, code) = described(&answer).map_err(|e| ClusterError::Garbled(connection.name.clone(), e))?;
        if code != 0 || known.leaders.is_empty() {
            return Err(ClusterError::Told(format!("{}: {} for topic {topic}", connection.name, error_name(code))));
        }
        Ok(known)
    }

    async fn connect(&self, host: &str, port: u16) -> Result<Connection, ClusterError> {
        let socket = self.connector.connect(host, port).await?;
        let mut connection = Connection { socket, name: format!("{host}:{port}"), correlation: 0 };
        if let Some(user) = &self.settings.sasl {
            sasl::sign_in(&mut connection, user, &*self.chance).await?;
        }
        Ok(connection)
    }
}

impl Connection {
    pub(super) fn request(&mut self, api: Api) -> Request {
        self.correlation = self.correlation.wrapping_add(1);
        Request::new(api, self.correlation)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Sends a request and gives its answer, less the header.
    pub(super) async fn ask(&mut self, request: Request) -> Result<Vec<u8>, ClusterError> {
        let Connection { socket, name, correlation } = self;
        let request = request.finish();
        let garbled = || std::io::Error::new(std::io::ErrorKind::InvalidData, Garbled);
        let work = async {
            socket.write_all(&request).await?;
            socket.flush().await?;
            let len = socket.read_i32().await?;
            if !(4..=ANSWER_BYTES_MAX).contains(&len) || socket.read_i32().await? != *correlation {
                return Err(garbled());
            }
            let mut answer = vec![0; usize::try_from(len - 4).map_err(|_| garbled())?];
            socket.read_exact(&mut answer).await?;
            Ok(answer)
        };
        match timeout(PATIENCE, work).await {
            Ok(done) => done.map_err(|e| ClusterError::Broken(name.clone(), e)),
            Err(_) => Err(ClusterError::Late { name: name.clone() }),
        }
    }
}

/// Metadata, version 4: the brokers, the partitions of the one topic, and its error.
fn described(answer: &[u8]) -> Result<(Known, i16), Garbled> {
    let mut reader = Reader(answer);
    reader.i32()?;
    let brokers = reader.list(|one| {
        let (id, host, port) = (one.i32()?, one.string()?.to_owned(), one.i32()?);
        one.maybe_string()?;
        Ok((id, (host, u16::try_from(port).map_err(|_| Garbled)?)))
    })?;
    reader.maybe_string()?;
    reader.i32()?;
    let topics = reader.list(|topic| {
        let code = topic.i16()?;
        topic.string()?;
        topic.bool()?;
        let leaders = topic.list(|one| {
            one.i16()?;
            let (partition, leader) = (one.i32()?, one.i32()?);
            one.list(Reader::i32)?;
            one.list(Reader::i32)?;
            Ok((partition, (leader >= 0).then_some(leader)))
        })?;
        Ok((code, leaders))
    })?;
    let (code, leaders) = topics.into_iter().next().ok_or(Garbled)?;
    let known = Known {
        brokers: brokers.into_iter().collect(),
        leaders: leaders.into_iter().collect(),
        connections: BTreeMap::new(),
    };
    Ok((known, code))
}

/// Produce, version 3: the error and the first offset of the one partition.
fn produced(answer: &[u8]) -> Result<(i16, i64), Garbled> {
    let mut reader = Reader(answer);
    let topics = reader.list(|topic| {
        topic.string()?;
        topic.list(|one| {
            one.i32()?;
            let told = (one.i16()?, one.i64()?);
            one.i64()?;
            Ok(told)
        })
    })?;
    topics.into_iter().flatten().next().ok_or(Garbled)
}

/// What an error of a batch means. What is not named may pass.
fn verdict(code: i16) -> Verdict {
    match code {
        // MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE.
        10 | 18 => Verdict::Split,
        // INVALID_TIMESTAMP, INVALID_RECORD.
        32 | 87 => Verdict::Refused,
        _ => Verdict::Retry { after: None },
    }
}
