//! Runs only where PostgreSQL is installed; elsewhere it says so.

use super::*;

#[test]
fn a_standby_takes_over_with_all_that_was_committed() -> Result<()> {
    if let Err(ClusterError::NotInstalled) = Programs::find() {
        return Ok(());
    }
    let mut primary = Cluster::start(&["synchronous_standby_names = 'second'"])?;
    let second = primary.standby("second", &[])?;
    primary.sql("postgres", "create table fact (id int)")?;
    primary.sql("postgres", "insert into fact values (7)")?;
    assert_eq!(second.sql("postgres", "select pg_is_in_recovery()")?, "t");

    primary.kill();
    assert!(primary.sql("postgres", "select 1").is_err());
    second.promote()?;

    assert_eq!(second.sql("postgres", "select id from fact")?, "7");
    second.sql("postgres", "insert into fact values (8)")?;
    Ok(())
}
