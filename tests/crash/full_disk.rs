//! A disk without a free byte.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::http::multipart;
use crate::support::*;

/// A server on a disk of 64 MB, and the disk; None, with the reason, where none can be mounted.
async fn on_a_small_disk() -> Option<(Team, SmallDisk)> {
    match SmallDisk::new(64) {
        Ok(disk) => Some((Team::on(Server::on(&disk.path().join("data"), &[])).await, disk)),
        Err(why) => {
            println!("skipped: no file system can be mounted here ({why})");
            None
        }
    }
}

/// Posts until the disk is full. The log has some room of its own.
async fn post_until_full(team: &Team) -> Vec<i64> {
    let mut posted = Vec::new();
    loop {
        let body = json!({"room_id": team.room, "content": "word ".repeat(10_000)});
        let reply = team.ada.post("/api/messages", body).await;
        if reply.status == 507 {
            reply.problem(507, "no_space");
            return posted;
        }
        posted.push(id(&reply.expect(201)));
        assert!(posted.len() < 1_000, "the disk does not get full");
    }
}

/// 41.
#[tokio::test]
async fn messages_can_be_deleted_from_a_full_disk_and_that_makes_room() {
    let Some((team, disk)) = on_a_small_disk().await else { return };
    let mut files = Vec::new();
    for name in ["one.bin", "two.bin"] {
        files.push(id(&team.ada.upload(team.room, &[], name, &vec![7; 12 << 20]).await.expect(201)));
    }
    let doomed = id(&team.ada.say(team.room, "To be deleted").await);
    disk.fill();
    let mut posted = post_until_full(&team).await;
    team.ada.get("/health").await.expect(200);
    team.ada.delete(&format!("/api/messages/{doomed}")).await.expect(204);
    team.server.logs("its reserve is used for deletions");
    // The reserve is for deletions alone.
    let body = json!({"room_id": team.room, "content": "Hi"});
    team.ada.post("/api/messages", body.clone()).await.problem(507, "no_space");
    let mut socket = team.ada.socket_in(team.room).await;
    socket.send(json!({"type": "message", "content": "Hi", "client_message_id": "full"})).await;
    assert_eq!(socket.expect("error").await["code"], "no_space");
    for message in posted.drain(..).take(20) {
        team.ada.delete(&format!("/api/messages/{message}")).await.expect(204);
    }
    for message in files {
        team.ada.delete(&format!("/api/messages/{message}")).await.expect(204);
    }
    within("room to be made", async {
        while team.ada.post("/api/messages", body.clone()).await.status != 201 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    let reserve = team.server.data().join("campfire.reserve");
    assert_eq!(std::fs::metadata(reserve).unwrap().len(), 8 << 20, "it is there for the next time");
}

/// 41.
#[tokio::test]
async fn upload_to_a_full_disk_gets_its_507_while_it_is_sent() {
    let Some((team, disk)) = on_a_small_disk().await else { return };
    disk.fill();
    let (kind, form) = multipart(&[], &[("file", "large.bin", &vec![7; 20 << 20])]);
    for _ in 0..3 {
        let head = format!(
            "POST /api/rooms/{}/attachments HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
             content-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            team.room,
            team.ada.token,
            form.len()
        );
        let mut stream = TcpStream::connect(team.ada.address()).await.unwrap();
        // As clients do that read only once they have sent all.
        within("the upload", stream.write_all(&[head.as_bytes(), &form].concat())).await.unwrap();
        let mut status = [0; 12];
        within("an answer", stream.read_exact(&mut status)).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 507");
    }
    let incoming = team.server.data().join("files/incoming");
    assert_eq!(std::fs::read_dir(incoming).unwrap().count(), 0, "nothing of it stays");
    disk.empty();
    team.ada.upload(team.room, &[], "large.bin", &vec![7; 20 << 20]).await.expect(201);
}
