//! The server's side: a database file with people in it, closed, copied and opened again.

use std::collections::BTreeSet;

use automerge::ActorId;
use domain::household::Household;
use domain::id::{DeviceId, JobId, UserId};
use domain::job::Job;
use server::clock::Clock;
use server::config::{Config, Secret};
use server::db::users::{self, UserRow};
use server::db::{devices, halls, households};
use server::http::caller::{Caller, Phone, Sender};
use server::identity::Role;
use server::identity::token::TokenHash;
use server::jobs::plan::{load, read};
use server::state::AppState;
use sync::authority::Writer;
use sync::hub::hall_actor;
use sync::message::Epoch;
use uuid::Uuid;

use super::{DISPATCHER, HALL, HOME, Pair, writer};

const MORNING_MS: i64 = 1_795_392_000_000;

pub(super) fn config(folder: &tempfile::TempDir) -> Config {
    let morning = chrono::DateTime::from_timestamp_millis(MORNING_MS).unwrap();
    Config {
        database: Secret(cluster::fresh_database(folder.path()).unwrap()),
        clock: Clock::manual(morning),
        ..Config::default()
    }
}

pub(super) async fn open(config: &Config, actor: ActorId) -> AppState {
    let mut state = server::build(config.clone()).await.unwrap().state;
    state.actor = actor;
    state
}

/// A hall with one household, a dispatcher, and technicians with phones.
pub(super) async fn furnish(server: &AppState, phones: usize) {
    let home = Household {
        id: HOME,
        account: "1001".to_owned(),
        holder: String::new(),
        address: String::new(),
        phone: String::new(),
        place: None,
        groups: BTreeSet::new(),
        access: String::new(),
        unregistered: false,
    };
    let mut tx = server.db.begin().await.unwrap();
    halls::upsert_hall(tx.c(), HALL, "城东营业厅", 480).await.unwrap();
    households::upsert_households(tx.c(), HALL, &[home]).await.unwrap();
    users::insert_user(tx.c(), &person(DISPATCHER, Role::Dispatcher)).await.unwrap();
    for number in 0..phones {
        let Writer { user, device } = writer(number);
        users::insert_user(tx.c(), &person(user, Role::Technician)).await.unwrap();
        devices::insert_device(tx.c(), device, (HALL, user), "phone", MORNING_MS).await.unwrap();
    }
    tx.commit().await.unwrap();
}

fn person(user: UserId, role: Role) -> UserRow {
    UserRow {
        user_id: user.0,
        hall_id: HALL.0,
        login: user.to_string(),
        name: user.to_string(),
        role: role.key().to_owned(),
        password_hash: None,
        created_at: MORNING_MS,
        disabled_at: None,
    }
}

pub(super) async fn revoke(server: &AppState, device: DeviceId) {
    let mut tx = server.db.begin().await.unwrap();
    devices::revoke_device(tx.c(), device, None, MORNING_MS).await.unwrap();
    tx.commit().await.unwrap();
}

impl Pair {
    /// The phone as the guard before the routes would find it.
    pub(super) async fn sender(&self, writer: Writer) -> Sender {
        let mut conn = self.server().db.read().await.unwrap();
        let row = devices::find_device(conn.c(), HALL, writer.device).await.unwrap().unwrap();
        let caller = Caller {
            user: writer.user,
            hall: HALL,
            role: Role::Technician,
            login: String::new(),
            name: String::new(),
            device: Some(writer.device),
            via: server::audit::Via::Phone,
            session: TokenHash::of("token"),
            proven_at: 0,
            lacks_factor: false,
        };
        let phone = Phone { caller, device: writer.device };
        Sender { phone, shut_out: row.revoked_at.is_some() }
    }

    /// A job as the server's changes tell it.
    pub(super) async fn stored_job(&self, job: JobId) -> Option<Job> {
        let doc = load(self.server().db.read().await.unwrap().c(), job).await.unwrap();
        read(&doc).ok()
    }

    /// A verified backup covers everything so far.
    pub(crate) async fn mark_safe(&mut self) {
        let mut tx = self.server().db.begin().await.unwrap();
        let row = halls::find_hall(tx.c(), HALL).await.unwrap().unwrap();
        halls::set_safe_position(tx.c(), HALL, row.next_position - 1).await.unwrap();
        tx.commit().await.unwrap();
        self.model.mark_safe();
    }

    /// The server stops and starts again.
    pub(crate) async fn reopen(&mut self) {
        self.close().await;
        let next = self.next();
        self.open_as(next).await;
    }

    fn backup_url(&self) -> String {
        format!("{}_backup", self.config.database.0)
    }

    pub(crate) async fn backup(&mut self) {
        self.mark_safe().await;
        self.close().await;
        cluster::copy_database(&self.config.database.0, &self.backup_url()).unwrap();
        let next = self.next();
        self.open_as(next).await;
        self.backup = Some(self.model.backup());
    }

    /// Both halls go back to the backup and begin another history.
    pub(crate) async fn restore(&mut self) {
        let Some(backup) = self.backup.clone() else { return };
        self.close().await;
        cluster::copy_database(&self.backup_url(), &self.config.database.0).unwrap();
        self.model = backup;
        let next = self.next();
        let epoch = Uuid::from_u128(u128::from(next));
        self.open_as(next).await;
        let mut tx = self.server().db.begin().await.unwrap();
        halls::set_epoch(tx.c(), epoch).await.unwrap();
        tx.commit().await.unwrap();
        let actor = self.server().actor.clone();
        self.model = self.model.clone().restore(Epoch(*epoch.as_bytes()), actor);
    }

    async fn close(&mut self) {
        let server = self.server.take().expect("the server is open");
        server.db.close().await;
    }

    /// Opens the database again under an actor that nobody has used; the model writes under it as well.
    async fn open_as(&mut self, number: u64) {
        let mut random = [0; 12];
        random[..8].copy_from_slice(&number.to_be_bytes());
        let actor = hall_actor(random);
        self.server = Some(open(&self.config, actor.clone()).await);
        let epoch = self.model.epoch();
        self.model = self.model.clone().restore(epoch, actor);
    }
}
