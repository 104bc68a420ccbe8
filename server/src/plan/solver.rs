//! The solver's half of a plan: `vrp-core` lays the stops into tours, takes some out again and lays them in once more.
//!
//! Its own search is not used: it walks hash maps by addresses, so the same day would be planned in another way each time.
//! What is used here, constraints, schedules, costs and the insertion, depends on the input alone.

use std::cmp::Ordering;
use std::sync::Arc;

use vrp_core::construction::features::{OrderResult, create_tour_order_hard_feature};
use vrp_core::construction::heuristics::{
    BestResultSelector, InsertionHeuristic, JobSelector, LegSelection, RouteSelector,
};
use vrp_core::models::common::{
    Distance, Duration, Location, Profile, Schedule, TimeWindow, Timestamp,
};
use vrp_core::models::problem::{Actor, Single, TravelTime};
use vrp_core::models::solution::{Activity, Place, Route};
use vrp_core::prelude::*;
use vrp_core::rosomaxa::prelude::{HeuristicObjective as _, HeuristicSolution as _, Quota as _};
use vrp_core::rosomaxa::utils::{Parallelism, TimeQuota};
use vrp_core::utils::Either;

use domain::id::UserId;

use super::Effort;
use super::tours::{Stop, Tours, Walker};
use crate::board::Task;

/// Stops that are taken out together: at least, and at most.
const TAKEN: (usize, usize) = (2, 12);

/// Tries for each pair of a door and somebody who could go there: a small hall is done soon.
const TRIES_A_PAIR: usize = 50;

/// A violation's codes; nobody reads them apart, for reasons are told by the rules of rounds.
const NOT_FIT: ViolationCode = ViolationCode(1);
const NOT_ITS_TURN: ViolationCode = ViolationCode(2);

/// What the solver found.
pub(super) struct Found<'a> {
    /// Who should go where, in the order in which the doors are reached.
    pub(super) visits: Vec<(&'a Task, UserId)>,
    /// Whether it ended by the clock.
    pub(super) is_cut_short: bool,
}

/// The number of a stop in its job, and of a walker in their vehicle.
struct Number;

/// Lays what nobody has into the tours of those who may be sent.
pub(super) fn solve<'a>(tours: &Tours<'a>, effort: Effort) -> anyhow::Result<Found<'a>> {
    let nothing = Found { visits: Vec::new(), is_cut_short: false };
    let is_idle = tours.walkers.is_empty() || tours.stops.iter().all(|stop| stop.is_fixed);
    if is_idle || effort.tries == 0 {
        return Ok(nothing);
    }
    // One thread of its own: the other cores are the hall's.
    let threads = Parallelism::new(1, 1);
    threads
        .thread_pool_execute(0, || search(tours, effort))
        .map_err(|error| anyhow::anyhow!("{error}"))
}

fn search<'a>(tours: &Tours<'a>, effort: Effort) -> GenericResult<Found<'a>> {
    let shared = Arc::new(Shared::of(tours));
    let jobs = jobs(tours)?;
    let problem = Arc::new(problem(tours, &shared, &jobs)?);
    let quota = TimeQuota::new(effort.most_seconds);
    let mut best = lay(begin(&problem, tours, &jobs), &shared.urgency);
    let mut dice = Dice(0);
    let mut tries = 0;
    let open = tours.stops.iter().filter(|stop| !stop.is_fixed).count();
    let most = effort.tries.min(open * tours.walkers.len() * TRIES_A_PAIR);
    while tries < most && !quota.is_reached() {
        let (taken, count) = take_out(best.deep_copy(), tours, &jobs, &mut dice);
        if count == 0 {
            break;
        }
        let ranks =
            if dice.below(2) == 0 { shared.urgency.clone() } else { dice.ranks(jobs.len()) };
        let other = lay(taken, &ranks);
        tries += count * tours.walkers.len();
        if problem.goal.total_order(&other, &best) != Ordering::Greater {
            best = other;
        }
    }
    Ok(Found { visits: visits(&best, tours), is_cut_short: tries < most && quota.is_reached() })
}

/// What constraints and costs look up.
struct Shared {
    may: Vec<Vec<bool>>,
    extra: Vec<Vec<f32>>,
    turns: Vec<Option<f64>>,
    /// The place of each stop among all by how soon it has to be reached.
    urgency: Vec<usize>,
}

impl Shared {
    fn of(tours: &Tours<'_>) -> Self {
        let mut by_limit: Vec<usize> = (0..tours.stops.len()).collect();
        let limit = |stop: usize| tours.stops[stop].spans.last().map_or(0.0, |(_, until)| *until);
        by_limit.sort_by(|a, b| limit(*a).total_cmp(&limit(*b)).then(a.cmp(b)));
        let mut urgency = vec![0; by_limit.len()];
        for (rank, stop) in by_limit.into_iter().enumerate() {
            urgency[stop] = rank;
        }
        Self {
            may: tours.walkers.iter().map(|walker| walker.may.clone()).collect(),
            extra: tours.walkers.iter().map(|walker| walker.extra.clone()).collect(),
            turns: tours.stops.iter().map(|stop| stop.turn).collect(),
            urgency,
        }
    }
}

fn jobs(tours: &Tours<'_>) -> GenericResult<Vec<Job>> {
    let job = |(number, stop): (usize, &Stop<'_>)| {
        let times = stop.spans.iter().map(|(from, until)| TimeWindow::new(*from, *until));
        SingleBuilder::default()
            .dimension(|dimens| dimens.set_value::<Number, usize>(number))
            .location(Tours::place(number))?
            .duration(stop.seconds)?
            .times(times.collect())?
            .build_as_job()
    };
    tours.stops.iter().enumerate().map(job).collect()
}

fn problem(tours: &Tours<'_>, shared: &Arc<Shared>, jobs: &[Job]) -> GenericResult<Problem> {
    let vehicle = |(number, walker): (usize, &Walker)| {
        let detail = VehicleDetailBuilder::default()
            .set_start_location(walker.place)
            .set_start_time(walker.begin)
            .build()?;
        VehicleBuilder::default()
            .dimension(|dimens| dimens.set_value::<Number, usize>(number))
            .add_detail(detail)
            .build()
    };
    let vehicles: Vec<Vehicle> =
        tours.walkers.iter().enumerate().map(vehicle).collect::<GenericResult<_>>()?;
    let ways: Arc<dyn TransportCost> = Arc::new(Ways::of(tours, shared));
    let turns = Arc::clone(shared);
    let turn = move |single: &Single| {
        let turn = number_of(&single.dimens).and_then(|stop| turns.turns[stop]);
        turn.map_or(OrderResult::Default, OrderResult::Value)
    };
    let goal = GoalContextBuilder::with_features(&[
        MinimizeUnassignedBuilder::new("given_out").build()?,
        TransportFeatureBuilder::new("ways")
            .set_transport_cost(Arc::clone(&ways))
            .build_minimize_cost()?,
        FeatureBuilder::default()
            .with_name("may_be_sent")
            .with_constraint(MayBeSent(Arc::clone(shared)))
            .build()?,
        create_tour_order_hard_feature("turns", NOT_ITS_TURN, Either::Left(Arc::new(turn)))?,
    ])?
    .build()?;
    ProblemBuilder::default()
        .add_jobs(jobs.iter().cloned())
        .add_vehicles(vehicles.into_iter())
        .with_vehicle_similarity(|_| Box::new(walker_of))
        .with_goal(goal)
        .with_transport_cost(ways)
        .with_logger(Arc::new(|_| ()))
        .build()
}

/// Only whoever is able to may be sent, and what is given out stays where it is.
struct MayBeSent(Arc<Shared>);

impl FeatureConstraint for MayBeSent {
    fn evaluate(&self, move_ctx: &MoveContext<'_>) -> Option<ConstraintViolation> {
        let MoveContext::Route { route_ctx, job, .. } = move_ctx else { return None };
        let stop = number_of(job.dimens())?;
        let may = self.0.may[walker_of(&route_ctx.route().actor)][stop];
        if may { ConstraintViolation::success() } else { ConstraintViolation::fail(NOT_FIT) }
    }
}

/// Ways in seconds; what it costs to leave an area, or to take a job from somebody, counts as way, but takes no time.
struct Ways {
    seconds: Vec<f64>,
    size: usize,
    shared: Arc<Shared>,
}

impl Ways {
    fn of(tours: &Tours<'_>, shared: &Arc<Shared>) -> Self {
        let size = 1 + tours.stops.len() + tours.walkers.len();
        let seconds = (0..size * size).map(|at| tours.way(at / size, at % size)).collect();
        Self { seconds, size, shared: Arc::clone(shared) }
    }

    fn way(&self, from: Location, to: Location) -> Duration {
        self.seconds.get(from * self.size + to).copied().unwrap_or_default()
    }
}

impl TransportCost for Ways {
    fn duration_approx(&self, _: &Profile, from: Location, to: Location) -> Duration {
        self.way(from, to)
    }

    fn distance_approx(&self, _: &Profile, from: Location, to: Location) -> Distance {
        self.way(from, to)
    }

    fn duration(&self, _: &Route, from: Location, to: Location, _: TravelTime) -> Duration {
        self.way(from, to)
    }

    fn distance(&self, route: &Route, from: Location, to: Location, _: TravelTime) -> Distance {
        let extra = &self.shared.extra[walker_of(&route.actor)];
        let extra = to.checked_sub(1).and_then(|stop| extra.get(stop)).copied().unwrap_or_default();
        self.way(from, to) + Distance::from(extra)
    }
}

/// The rounds as they stand, with everything else still to be laid in.
fn begin(problem: &Arc<Problem>, tours: &Tours<'_>, jobs: &[Job]) -> InsertionContext {
    let environment = Environment {
        random: Arc::new(DefaultRandom::new_repeatable()),
        logger: Arc::new(|_| ()),
        ..Environment::default()
    };
    let mut context = InsertionContext::new_empty(Arc::clone(problem), Arc::new(environment));
    let mut is_laid = vec![false; jobs.len()];
    for actor in &problem.fleet.actors {
        let Some(mut route) = context.solution.registry.get_route(actor) else { continue };
        for (stop, (from, until)) in &tours.walkers[walker_of(actor)].round {
            is_laid[*stop] = true;
            let place = Place {
                idx: 0,
                location: Tours::place(*stop),
                duration: tours.stops[*stop].seconds,
                time: TimeWindow::new(*from, *until),
            };
            let job = jobs[*stop].as_single().cloned();
            let schedule = Schedule::new(Timestamp::default(), Timestamp::default());
            route.route_mut().tour.insert_last(Activity { place, schedule, job, commute: None });
            if tours.stops[*stop].is_fixed {
                context.solution.locked.insert(jobs[*stop].clone());
            }
        }
        problem.goal.accept_route_state(&mut route);
        context.solution.routes.push(route);
    }
    let open = jobs.iter().zip(is_laid).filter(|(_, is_laid)| !is_laid);
    context.solution.required.extend(open.map(|(job, _)| job.clone()));
    context
}

/// Lays in what is out, in the order of ranks, each where it costs least.
fn lay(context: InsertionContext, ranks: &[usize]) -> InsertionContext {
    InsertionHeuristic::default().process(
        context,
        &ByRank(ranks),
        &EveryRoute,
        &LegSelection::Exhaustive,
        &BestResultSelector::default(),
    )
}

/// One job after the other.
struct ByRank<'a>(&'a [usize]);

impl JobSelector for ByRank<'_> {
    fn prepare(&self, context: &mut InsertionContext) {
        let rank = |job: &Job| number_of(job.dimens()).map(|stop| self.0[stop]);
        context.solution.required.sort_by_key(rank);
    }

    fn select<'a>(
        &'a self,
        context: &'a InsertionContext,
    ) -> Box<dyn Iterator<Item = &'a Job> + 'a> {
        Box::new(context.solution.required.iter().take(1))
    }
}

/// Everybody's tour, in the same order each time.
struct EveryRoute;

impl RouteSelector for EveryRoute {
    fn prepare(&self, context: &mut InsertionContext) {
        context.solution.routes.sort_by_key(|route| walker_of(&route.route().actor));
    }

    fn select<'a>(
        &'a self,
        context: &'a InsertionContext,
        _: &[&'a Job],
    ) -> Box<dyn Iterator<Item = &'a RouteContext> + 'a> {
        Box::new(context.solution.routes.iter())
    }
}

/// Takes a door out of its tour, with those that lie nearest to it; returns how many doors are out then.
fn take_out(
    mut context: InsertionContext,
    tours: &Tours<'_>,
    jobs: &[Job],
    dice: &mut Dice,
) -> (InsertionContext, usize) {
    let laid: Vec<(usize, usize)> =
        laid(&context).filter(|(_, stop)| !tours.stops[*stop].is_fixed).collect();
    if laid.is_empty() {
        return (context, 0);
    }
    let (_, seed) = laid[dice.below(laid.len())];
    let mut near: Vec<(f64, usize, usize)> = laid
        .into_iter()
        .map(|(route, stop)| {
            let way = tours.way(Tours::place(seed), Tours::place(stop));
            (if stop == seed { -1.0 } else { way }, stop, route)
        })
        .collect();
    let count = TAKEN.0 + dice.below(TAKEN.1 + 1 - TAKEN.0);
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    near.truncate(count);
    for (_, stop, route) in &near {
        let job = &jobs[*stop];
        context.solution.routes[*route].route_mut().tour.remove(job);
        context.solution.required.push(job.clone());
    }
    let count = near.len() + context.solution.unassigned.len();
    (context, count)
}

/// Each stop with the tour that it lies in, tour by tour and in order.
fn laid(context: &InsertionContext) -> impl Iterator<Item = (usize, usize)> + '_ {
    context.solution.routes.iter().enumerate().flat_map(|(at, route)| {
        let singles = route.route().tour.all_activities().filter_map(|it| it.job.as_ref());
        singles.filter_map(move |single| Some((at, number_of(&single.dimens)?)))
    })
}

fn visits<'a>(context: &InsertionContext, tours: &Tours<'a>) -> Vec<(&'a Task, UserId)> {
    let mut visits = Vec::new();
    for route in &context.solution.routes {
        let walker = &tours.walkers[walker_of(&route.route().actor)];
        for activity in route.route().tour.all_activities() {
            if let Some(stop) =
                tours.stop_at(activity.place.location).filter(|_| activity.job.is_some())
            {
                visits.push((activity.schedule.arrival, stop, walker.id));
            }
        }
    }
    visits.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    visits.into_iter().map(|(_, stop, walker)| (tours.stops[stop].task, walker)).collect()
}

fn number_of(dimens: &Dimensions) -> Option<usize> {
    dimens.get_value::<Number, usize>().copied()
}

/// Every vehicle is made with its number.
fn walker_of(actor: &Actor) -> usize {
    number_of(&actor.vehicle.dimens).unwrap_or_default()
}

/// Chance that is none: the same numbers in the same order each time (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below another.
    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    /// Ranks in any order.
    fn ranks(&mut self, count: usize) -> Vec<usize> {
        let mut ranks: Vec<usize> = (0..count).collect();
        for at in (1..count).rev() {
            ranks.swap(at, self.below(at + 1));
        }
        ranks
    }
}
