"""Grade what students hand in, so that nothing they wrote can read, forge or delete anything.

From the outside in, and in the order in which to read it:

- cli: `course.py grade`; asks the others in turn;
- questions: a set as grading needs it; expected: what is right, on the course's data and on fresh data;
- collect: finds and reads submissions; answers: finds the answers in a notebook and plans what runs;
- run: hands work to any executor, holds it to its time, and believes nothing that comes back unread;
- sandbox: the warm process and the walls around each child of it (Linux); child: what runs inside them;
- judge: what each task earns; marks: the one file in which all of it is kept; reports: all that is written.

Three processes matter. The grader knows what is right and never runs student code. The warm process holds
pandas and the student's package and nothing else; it never sees a submission. A child of it gets one submission
through a pipe, runs it behind walls, and sends answers back as lines of JSON. So a submission that forges what
it sends can only hand in an answer, which it would have to know.
"""
